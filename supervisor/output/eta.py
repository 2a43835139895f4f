"""How long the whole run will still take, from the pace of the current attempt."""

from dataclasses import dataclass
from statistics import median

from supervisor.output.records import Progress

_KEPT = 20  # epochs whose times count: enough for a median, few enough to follow a change


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds left in the whole run: expected, and the band that the epochs so far span."""

    seconds: float
    low: float
    high: float


class Pace:
    """Times epochs as they are finished. The first is set apart: it warms caches and compiles.

    Epochs that are read together, as after a daemon's restart, are timed together: they did not take no time.
    """

    def __init__(self) -> None:
        self._folds: int | None = None
        self._epochs: int | None = None
        self._done: tuple[int, int] | None = None
        self._done_at: float | None = None
        self._before: tuple[float, int] | None = None  # when the read before came, and how far it led
        self._timed = False  # whether the newest time is that of this read
        self._times: list[float] = []

    def add(self, progress: Progress, at: float) -> None:
        """A progress line, printed `at` (seconds of any one clock)."""
        self._folds = progress.folds or self._folds
        self._epochs = progress.epochs or self._epochs
        if progress.epoch is None:
            return
        fold = progress.fold or (self._done[0] if self._done else 1)
        now = (fold, progress.epoch)
        if now == self._done:
            return
        if self._done is not None and self._done_at is not None and at > self._done_at:
            self._before, self._timed = (self._done_at, self._index(self._done)), False
        if self._before is not None:
            self._time(self._index(now), at, *self._before)
        self._done, self._done_at = now, at

    def _time(self, index: int, at: float, began: float, first: int) -> None:
        if index <= first:
            return
        earlier = self._times[:-1] if self._timed else self._times
        self._times = [*earlier, (at - began) / (index - first)][-_KEPT:]
        self._timed = True

    def estimate(self, now: float) -> Eta | None:
        """The time left, or None while fewer than two epochs have been timed or the total is unknown."""
        if self._done is None or self._done_at is None or self._epochs is None or not self._times:
            return None
        total = self._epochs * (self._folds or 1)
        left = total - self._index(self._done)
        elapsed = now - self._done_at
        return Eta(
            seconds=max(0.0, left * median(self._times) - elapsed),
            low=max(0.0, left * min(self._times) - elapsed),
            high=max(0.0, left * max(self._times) - elapsed),
        )

    def _index(self, at: tuple[int, int]) -> int:
        fold, epoch = at
        return (fold - 1) * (self._epochs or 0) + epoch
