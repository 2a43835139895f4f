"""What `watch` shows of a run on a terminal: memory, progress, what happened, the newest of its log. Pure."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from supervisor.cli.words import duration, percent, progress, size
from supervisor.client import Run

_EVENTS = 6
_LINES = 8
_BAR = 30
_STYLES = {"succeeded": "green", "failed": "red", "lost": "red", "stopped": "yellow"}


@dataclass(slots=True)
class Picture:
    """What is known of a watched run. `trouble` says why it may be out of date."""

    run_id: str
    run: Run | None = None
    trouble: str | None = None
    told: deque[str] = field(default_factory=lambda: deque(maxlen=_EVENTS))
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    _open: str = ""

    def printed(self, text: str) -> None:
        """Take output as it comes; of frames drawn over each other the last one counts."""
        *whole, self._open = (self._open + text).split("\n")
        self.lines.extend(line.rstrip("\r").rpartition("\r")[2] for line in whole)


def draw(pictures: list[Picture], *, width: int) -> RenderableType:
    """A panel for each run; one alone shows its log, too."""
    return Group(*(_panel(picture, width, alone=len(pictures) == 1) for picture in pictures))


def _panel(picture: Picture, width: int, *, alone: bool) -> RenderableType:
    run = picture.run
    if run is None:
        return Panel(Text(picture.trouble or "…"), title=picture.run_id)
    parts: list[RenderableType] = [_figures(run)]
    told = list(picture.told) if alone else list(picture.told)[-1:]
    parts += [Text(line, no_wrap=True, overflow="ellipsis") for line in told]
    if alone and picture.lines:
        parts.append(Text("─" * max(1, width - 4), style="dim", no_wrap=True, overflow="crop"))
        parts += [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in picture.lines]
    if picture.trouble:
        parts.append(Text(picture.trouble, style="yellow"))
    state = f"{run['state']}/{run['phase']}" if run["phase"] else run["state"]
    name = run["name"] or Path(run["script"]).name
    title = Text(f"{name} {run['id']}  {state}", style=_STYLES.get(run["state"], "bold"))
    return Panel(Group(*parts), title=title, title_align="left")


def _figures(run: Run) -> Table:
    memory = run["memory"]
    fraction = memory["fraction"] if memory else None
    used = (memory["measured"] or memory["reported"]) if memory else None
    figures = Table.grid(padding=(0, 2))
    figures.add_row("memory", _bar(fraction), f"{percent(fraction)}  {size(used)}")
    figures.add_row("progress", _bar(_done(run)), progress(run["progress"]))
    verdict = run["verdict"]["kind"] if run["verdict"] else "none yet"
    left = f"  budget left {duration(budget['remaining_s'])}" if (budget := run.get("budget")) else ""
    figures.add_row(
        "batch",
        f"{run['batch_size'] or '-'}  attempt {run['attempt']}  verdict {verdict}",
        f"util. {percent(run['utilization'])}  ETA {duration(run['eta_s'])}{left}",
    )
    return figures


def _bar(fraction: float | None) -> ProgressBar:
    return ProgressBar(total=1.0, completed=min(1.0, fraction or 0.0), width=_BAR)


def _done(run: Run) -> float | None:
    """The share of the run's epochs over all folds that is over, as far as it tells."""
    state = run["progress"]
    if state is None:
        return None
    fold, folds, epoch, epochs = state["fold"], state["folds"], state["epoch"], state["epochs"]
    within = epoch / epochs if epoch is not None and epochs else 0.0
    if fold is not None and folds:
        return min(1.0, (fold - 1 + within) / folds)
    return within or None
