"""What a run's events tell its report: the script's printed settings, its progress, its artifacts.

Events are told apart by the attempt's start before them, not by their times: what a daemon reads of an
attempt that ended without it is recorded later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from supervisor.domain.events import (
    ArtifactsChecked,
    AttemptStarting,
    Event,
    ProgressReported,
    ResourcesReported,
)
from supervisor.domain.progress import Progress
from supervisor.domain.run import Stage

_PROGRESS = tuple(field.name for field in fields(Progress))
TYPES = (AttemptStarting.type, ResourcesReported.type, ProgressReported.type, ArtifactsChecked.type)


@dataclass(frozen=True, slots=True)
class PrintedSettings:
    """What the last training attempt printed of itself; `workers` holds each `num_workers` once."""

    workers: tuple[int, ...] = ()
    cpu_cores: int | None = None


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """A file that the run was to leave: `problem` is a sentence, `size` in bytes, `rows` of a table."""

    path: str
    ok: bool
    problem: str | None
    size: int | None
    rows: int | None


def printed_settings(events: Sequence[Event]) -> PrintedSettings:
    """The settings printed by the last training attempt; a later line wins for its cores."""
    stage, workers, cores = None, set[int](), None
    for event in events:
        if event.type == AttemptStarting.type:
            stage = event.data["stage"]
            if stage == Stage.TRAINING:
                workers, cores = set[int](), None
        elif event.type == ResourcesReported.type and stage == Stage.TRAINING:
            settings = event.data["settings"]
            if settings.get("num_workers") is not None:
                workers.add(settings["num_workers"])
            cores = settings.get("cpu_cores", cores)
    return PrintedSettings(tuple(sorted(workers)), cores)


def progress_of_training(events: Sequence[Event], newest: Progress | None) -> Progress | None:
    """How far training came: `newest`, unless the follow-up has printed progress of its own since."""
    seen: Progress | None = None
    in_follow_up = False
    for event in events:
        if event.type == AttemptStarting.type:
            in_follow_up = event.data["stage"] == Stage.FOLLOW_UP
            seen = seen if in_follow_up else None
            continue
        if event.type != ProgressReported.type:
            continue
        if in_follow_up:
            return seen
        seen = Progress(**{name: event.data.get(name) for name in _PROGRESS})
    return newest


def artifacts_of(events: Sequence[Event]) -> tuple[ArtifactReport, ...]:
    """The artifacts as last checked; empty where none was asked for or the run has not come so far."""
    for event in reversed(events):
        if event.type == ArtifactsChecked.type:
            return tuple(
                ArtifactReport(
                    path=item["path"],
                    ok=item["ok"],
                    problem=item.get("problem"),
                    size=item.get("size"),
                    rows=item.get("rows"),
                )
                for item in event.data["artifacts"]
            )
    return ()
