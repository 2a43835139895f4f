"""A plot over time as SVG with HTML labels: the lines stretch with the page, the text keeps its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from supervisor.web.figures import duration

_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 5  # as many as fit on a telephone
_NEAR = 0.09  # of the height or width: labels nearer than this would overlap
_WIDE = 0.22  # likewise of the width, for a label of several marks
_GAP = 5  # times the usual distance of two points: nobody looked in between
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a dashed line, `label` two or three characters."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The time that plots of one run share, Unix seconds."""

    start: float
    end: float

    def across(self, at: float) -> float:
        """Where a moment lies, 0 at the left to 1 at the right."""
        return min(1.0, max(0.0, (at - self.start) / max(self.end - self.start, 1.0)))


def plot(
    points: Sequence[tuple[float, float]],
    axis: Axis,
    *,
    line: str,
    caption: str,
    marks: Sequence[Mark] = (),
    bounds: Sequence[tuple[float, str]] = (),
) -> str:
    """A figure of (Unix seconds, fraction) points; `line` is its class, `bounds` are dashed levels."""
    if not points:
        return f"<figure><figcaption>{escape(caption)}</figcaption><p>No samples.</p></figure>"
    bounded = {share for share, _ in bounds}
    levels = "".join(_level(share, "grid") for share in (0.0, 0.5, 1.0) if share not in bounded)
    dashed = "".join(_level(share, "bound") for share, _ in bounds)
    uprights = "".join(_upright(axis.across(mark.at)) for mark in marks)
    curves = "".join(_curve(part, axis, line) for part in _parts(points, [mark.at for mark in marks]))
    labels = _labels_up(bounds) + _labels_across(axis) + _labels_over(marks, axis)
    high = max(share for _, share in points)
    told = f"{caption}: {high:.0%} at most, over {duration(axis.end - axis.start)}"
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<div class="plot" role="img" aria-label="{escape(told)}">'
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f"{levels}{dashed}{uprights}{curves}</svg>{labels}</div></figure>"
    )


def _parts(
    points: Sequence[tuple[float, float]], starts: Sequence[float]
) -> list[Sequence[tuple[float, float]]]:
    """The points in pieces: a line is not drawn over a launch, nor over a time in which nobody looked."""
    steps = sorted(later[0] - earlier[0] for earlier, later in pairwise(points))
    widest = _GAP * steps[len(steps) // 2] if steps else 0.0
    pieces, begun = [], 0
    for index in range(1, len(points)):
        before, after = points[index - 1][0], points[index][0]
        if after - before > widest or any(before < start <= after for start in starts):
            pieces.append(points[begun:index])
            begun = index
    return [*pieces, points[begun:]]


def _curve(points: Sequence[tuple[float, float]], axis: Axis, line: str) -> str:
    # A single point is drawn as a line to itself, which round ends make a dot.
    drawn = points if len(points) > 1 else [points[0], points[0]]
    places = " ".join(f"{1000 * axis.across(at):.1f},{_down(share):.1f}" for at, share in drawn)
    return f'<polyline class="{line}" stroke-linecap="round" points="{places}"/>'


def _level(share: float, kind: str) -> str:
    return f'<line class="{kind}" x1="0" x2="1000" y1="{_down(share):.1f}" y2="{_down(share):.1f}"/>'


def _upright(across: float) -> str:
    return f'<line class="mark" x1="{1000 * across:.1f}" x2="{1000 * across:.1f}" y1="0" y2="1000"/>'


def _down(share: float) -> float:
    return 1000 * (1.0 - min(1.0, max(0.0, share)))


def _labels_up(bounds: Sequence[tuple[float, str]]) -> str:
    """Bounds that lie close together stand below each other; round levels near to them have no label."""
    placed: list[float] = []
    labels = ""
    for share, text in sorted(bounds, reverse=True):
        place = min([share, *(other - _NEAR for other in placed)])
        placed.append(place)
        labels += _label_up(place, text, "up limit")
    for share in (0.0, 1.0, 0.5):
        if all(abs(share - other) >= _NEAR for other in placed):
            labels += _label_up(share, f"{share:.0%}", "up")
    return labels


def _label_up(share: float, text: str, kind: str) -> str:
    return f'<span class="{kind}" style="top:{100 - 100 * share:.1f}%">{escape(text)}</span>'


def _labels_across(axis: Axis) -> str:
    span = max(axis.end - axis.start, 1.0)
    step = next((step for step in _STEPS_S if span / step <= _MOST_TICKS), span / _MOST_TICKS)
    long = span >= _HOUR
    ticks = [step * index for index in range(int(span / step) + 1)]
    unit_s = _MINUTE if long else 1
    labels = "".join(
        f'<span class="across" style="left:{100 * tick / span:.2f}%">{_clock(tick / unit_s)}</span>'
        for tick in ticks
    )
    return f'{labels}<span class="unit">{"h:min" if long else "min:s"} since the first launch</span>'


def _clock(amount: float) -> str:
    """Seconds as min:s, or minutes as h:min."""
    whole, rest = divmod(round(amount), _MINUTE)
    return f"{whole}:{rest:02d}"


def _labels_over(marks: Sequence[Mark], axis: Axis) -> str:
    """Marks too near to each other share a label, which stands at the first of them."""
    groups: list[tuple[float, list[str]]] = []
    for mark in marks:
        across = axis.across(mark.at)
        if groups and across - groups[-1][0] < (_NEAR if len(groups[-1][1]) == 1 else _WIDE):
            groups[-1][1].append(mark.label)
        else:
            groups.append((across, [mark.label]))
    return "".join(_label_over(across, labels) for across, labels in groups)


def _label_over(across: float, labels: Sequence[str]) -> str:
    # A label of several marks reaches further than the margin beside the plot.
    several = "over last" if across > 1 - _WIDE else "over first"
    side = several if len(labels) > 1 else "over"
    return f'<span class="{side}" style="left:{100 * across:.2f}%">{escape(_joined(labels))}</span>'


def _joined(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
