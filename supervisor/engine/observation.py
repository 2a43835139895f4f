"""What the output of one attempt has told so far, and which of it is worth an event. Pure.

Every memory figure higher than those before it is an event; progress is thinned, so that a progress
bar of a thousand frames a second does not become a thousand rows.
"""

from collections.abc import Iterable
from dataclasses import asdict

from supervisor.domain.events import (
    EventBody,
    MemoryReported,
    OutOfMemorySeen,
    ProgressReported,
    ResourcesReported,
)
from supervisor.domain.progress import Observed, Progress
from supervisor.domain.reading import ReportedReading, interpret
from supervisor.output.eta import Pace
from supervisor.output.reader import Parsed
from supervisor.output.records import (
    DeviceMemory,
    LoaderSettings,
    MemoryUsed,
    OutOfMemory,
    Resources,
    Validation,
)
from supervisor.output.records import Progress as ProgressRecord

# Seconds between two progress events: whole lines are worth more than the frames of a bar.
_LINE_SPACING_S = 0.05
_FRAME_SPACING_S = 1.0


class Observation:
    """Folds an attempt's records into what is known of it. Times are boot-time seconds, handed in."""

    def __init__(self, device_total: int | None, before: Observed, *, out_of_memory: bool = False) -> None:
        """`before` and `out_of_memory` are what an earlier daemon had read of the same attempt."""
        self.device_total = device_total
        self.reported: ReportedReading | None = before.reported
        self.progress: Progress | None = before.progress
        self.eta_s: float | None = before.eta_s
        self.out_of_memory = out_of_memory
        self.step_at: float | None = None  # when the first step was read, by this daemon
        self._pace = Pace()
        self._progress_at = float("-inf")

    @property
    def step_seen(self) -> bool:
        """A printed figure or progress says that training has begun."""
        return self.reported is not None or self.progress is not None

    def take(self, parsed: Iterable[Parsed], now: float) -> list[EventBody]:
        """Take in new records, in order; the events that they are worth."""
        events: list[EventBody] = []
        moved: Parsed | None = None
        for item in parsed:
            record = item.record
            if isinstance(record, ProgressRecord):
                self._advance(record, now)
                moved = item
            elif isinstance(record, MemoryUsed):
                events.extend(self._raise_reported(record))
            elif isinstance(record, OutOfMemory):
                if not self.out_of_memory:
                    events.append(OutOfMemorySeen(record.line))
                self.out_of_memory = True
            elif isinstance(record, Resources | LoaderSettings | DeviceMemory | Validation):
                kind = type(record).__name__
                events.append(ResourcesReported({"kind": kind, **_plain(asdict(record))}))
        if moved is not None:
            events.extend(self._progress_event(now, frame=moved.frame))
        if self.step_at is None and self.step_seen:
            self.step_at = now
        return events

    def _raise_reported(self, record: MemoryUsed) -> list[EventBody]:
        reading = interpret(record.used, record.total, record.percent, self.device_total)
        if self.reported is not None and reading.used <= self.reported.used:
            return []
        self.reported = reading
        return [
            MemoryReported(
                reading.used,
                reading.total,
                reading.fraction,
                reading.unit.value,
                contradiction=reading.contradiction,
            )
        ]

    def _advance(self, record: ProgressRecord, now: float) -> None:
        newer = Progress(
            record.fold, record.folds, record.epoch, record.epochs, record.step, record.steps, record.loss
        )
        self.progress = newer if self.progress is None else self.progress.merged(newer)
        self._pace.add(record, now)
        eta = self._pace.estimate(now)
        self.eta_s = None if eta is None else eta.seconds

    def _progress_event(self, now: float, *, frame: bool) -> list[EventBody]:
        spacing = _FRAME_SPACING_S if frame else _LINE_SPACING_S
        seen = self.progress
        if seen is None or now - self._progress_at < spacing:
            return []
        self._progress_at = now
        event = ProgressReported(
            seen.fold, seen.folds, seen.epoch, seen.epochs, seen.step, seen.steps, seen.loss, self.eta_s
        )
        return [event]


def _plain(settings: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if value is not None}
