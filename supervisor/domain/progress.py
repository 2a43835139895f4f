"""What is known of a live run at this moment: progress, latest readings, expected time left."""

from dataclasses import dataclass, replace

from supervisor.domain.reading import MeasuredReading, ReportedReading


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Folds and epochs count from 1; None where the script does not say."""

    fold: int | None = None
    folds: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None

    def merged(self, newer: "Progress") -> "Progress":
        """This progress brought up to date: what `newer` leaves out stays, within the same fold and epoch."""
        kept = self
        if newer.fold is not None and newer.fold != self.fold:
            kept = replace(kept, epoch=None, step=None, steps=None, loss=None)
        if newer.epoch is not None and newer.epoch != kept.epoch:
            kept = replace(kept, step=None, steps=None)
        return Progress(
            fold=_first(newer.fold, kept.fold),
            folds=_first(newer.folds, kept.folds),
            epoch=_first(newer.epoch, kept.epoch),
            epochs=_first(newer.epochs, kept.epochs),
            step=_first(newer.step, kept.step),
            steps=_first(newer.steps, kept.steps),
            loss=newer.loss if newer.loss is not None else kept.loss,
        )


@dataclass(frozen=True, slots=True)
class RunSample:
    """One look at a run's use of its device, `at` in seconds of the boot-time clock; `utilization` 0 to 1."""

    at: float
    measured: MeasuredReading | None
    utilization: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """The newest picture of the current attempt; `eta_s` is seconds left in the whole run."""

    reported: ReportedReading | None = None
    measured: MeasuredReading | None = None
    device_total: int | None = None
    utilization: float | None = None
    progress: Progress | None = None
    eta_s: float | None = None


def _first(newer: int | None, older: int | None) -> int | None:
    return newer if newer is not None else older
