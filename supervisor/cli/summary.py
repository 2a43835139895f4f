"""The summary of a run as text: its attempts, and before against after."""

from datetime import datetime
from typing import Any

from supervisor.cli.words import Json, duration, percent, size

_COLUMNS = ("attempt", "batch", "memory", "of device", "util.", "verdict", "time", "outcome")


def summarise(run: Json, attempts: list[Any]) -> str:
    """A table of the attempts and the lines below it, each at most 80 columns wide."""
    rows = [_row(attempt) for attempt in attempts]
    widths = [max(len(row[index]) for row in [_COLUMNS, *rows]) for index in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in [_COLUMNS, *rows]]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([*lines, "", *_comparison(run, attempts)])


def _row(attempt: Json) -> tuple[str, ...]:
    verdict = attempt["verdict"] or {}
    follow_up = attempt["stage"] == "follow_up"
    return (
        "follow-up" if follow_up else str(attempt["number"]),
        str(attempt["batch_size"] or "-"),
        size(verdict.get("measured") or attempt["peak_memory"]),
        percent(verdict.get("fraction")),
        percent(attempt["peak_utilization"]),
        str(verdict.get("kind") or "-"),
        duration(_seconds(attempt["started_at"], attempt["ended_at"])),
        str(attempt["outcome"]),
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _comparison(run: Json, attempts: list[Any]) -> list[str]:
    training = [attempt for attempt in attempts if attempt["stage"] == "training"]
    lines = []
    if len(training) > 1:
        first, last = training[0], training[-1]
        lines.append(
            f"before: batch {first['batch_size']} at {_share(first)}; "
            f"after: batch {last['batch_size']} at {_share(last)}; relaunches: {len(training) - 1}"
        )
        corrected = _seconds(training[0]["started_at"], last["started_at"])
        lines.append(f"first launch to corrected run: {duration(corrected)}")
    total = _seconds(run["created_at"], run["ended_at"])
    reason = f" ({run['reason']})" if run["reason"] else ""
    after = f" after {duration(total)}" if total is not None else ""
    lines.append(f"run {run['id']}: {run['state']}{reason}{after}")
    return lines


def _share(attempt: Json) -> str:
    return percent((attempt["verdict"] or {}).get("fraction"))


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
