"""Plots over time."""

import re
from itertools import pairwise

import pytest

from supervisor.web.report_plot import Axis, Mark, plot

LINE = [(float(at), 0.5) for at in range(0, 601, 2)]
AXIS = Axis(0.0, 600.0)


def drawn(points: list[tuple[float, float]], axis: Axis = AXIS, *marks: Mark) -> str:
    return plot(points, axis, line="memory", caption="Memory", marks=marks)


def labels(figure: str, kind: str) -> list[tuple[float, str]]:
    """The labels of this class: (percent of the way, text)."""
    found = re.findall(rf'<span class="{kind}" style="(?:left|top):([\d.]+)%">([^<]*)</span>', figure)
    return [(float(place), text) for place, text in found]


def test_points_lie_where_their_time_and_share_say() -> None:
    assert 'points="0.0,1000.0 500.0,750.0 1000.0,0.0"' in drawn([(0.0, 0.0), (300.0, 0.25), (600.0, 1.0)])


def test_a_figure_beyond_the_frame_stays_in_it() -> None:
    assert 'points="0.0,0.0 1000.0,1000.0"' in drawn([(-50.0, 1.7), (900.0, -0.2)])


@pytest.mark.parametrize(
    ("span", "ticks"),
    [
        (600.0, ["0:00", "2:00", "4:00", "6:00", "8:00", "10:00"]),
        (45.0, ["0:00", "0:10", "0:20", "0:30", "0:40"]),
        (7200.0, ["0:00", "0:30", "1:00", "1:30", "2:00"]),
        (0.0, ["0:00", "0:01"]),
    ],
)
def test_the_time_axis_has_few_round_ticks_and_its_unit(span: float, ticks: list[str]) -> None:
    figure = drawn(LINE, Axis(0.0, span))

    assert [text for _, text in labels(figure, "across")] == ticks
    assert (">h:min " if span >= 3600 else ">min:s ") in figure


def test_a_span_of_weeks_still_has_few_ticks() -> None:
    assert len(labels(drawn(LINE, Axis(0.0, 40 * 86400.0)), "across")) <= 6


def test_a_line_is_not_drawn_over_a_relaunch_nor_over_a_time_without_samples() -> None:
    torn = LINE[:100] + LINE[150:]

    assert drawn(LINE).count("<polyline") == 1
    assert drawn(torn).count("<polyline") == 2
    assert drawn(LINE, AXIS, Mark(101.0, "#2")).count("<polyline") == 2


def test_a_lone_point_is_drawn_as_a_dot() -> None:
    assert 'points="0.0,500.0 0.0,500.0"' in drawn([(0.0, 0.5)])


def test_marks_are_labelled_where_they_stand() -> None:
    figure = drawn(LINE, AXIS, Mark(75.0, "#2"), Mark(560.0, "F"))

    assert labels(figure, "over") == [(12.5, "#2"), (93.33, "F")]
    assert figure.count('class="mark"') == 2


def test_marks_close_together_share_a_label_and_a_later_one_has_its_own() -> None:
    marks = [Mark(60.0 + 5 * n, f"#{n}") for n in range(2, 6)]
    figure = drawn(LINE, AXIS, *marks, Mark(300.0, "#6"))

    assert labels(figure, "over first") == [(11.67, "#2 to #5")]
    assert labels(figure, "over") == [(50.0, "#6")]
    assert figure.count('class="mark"') == 5


def test_a_shared_label_at_the_end_does_not_leave_the_page() -> None:
    assert labels(drawn(LINE, AXIS, Mark(580.0, "#2"), Mark(590.0, "F")), "over last") == [(96.67, "#2 to F")]


def test_bounds_are_labelled_and_no_label_stands_upon_another() -> None:
    figure = plot(LINE, AXIS, line="memory", caption="M", bounds=((0.95, "max 95%"), (0.45, "min 45%")))
    placed = sorted(labels(figure, "up limit") + labels(figure, "up"))

    assert [text for _, text in placed] == ["max 95%", "min 45%", "0%"]
    assert all(below[0] - above[0] >= 9 for above, below in pairwise(placed))


def test_bounds_that_lie_close_together_are_both_labelled() -> None:
    figure = plot(LINE, AXIS, line="memory", caption="M", bounds=((0.97, "max 97%"), (0.94, "min 94%")))

    assert labels(figure, "up limit") == [(3.0, "max 97%"), (12.0, "min 94%")]


def test_the_plot_says_in_words_what_it_shows() -> None:
    assert 'aria-label="Memory: 50% at most, over 10 min 00 s"' in drawn(LINE)
