"""What a run's figures advise. A figure that is missing gives no advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.domain.run import AttemptOutcome

_SLOW = 0.50  # a device that is busy less than this is waiting for something
_LEAST, _MOST = 1.25, 1.5  # times the size, where there is room
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Figures:
    """What advice rests on, of the last training attempt. Fractions 0 to 1; `utilization` is the mean.

    `judged` says that its checkpoint has concluded, `deferred` that it looked and saw no training step.
    `failed_sizes` ran out of memory in any attempt of the run, `ran_sizes` did not. `workers` and
    `cpu_cores` are what the script printed of itself.
    """

    batch_size: int | None = None
    first_batch_size: int | None = None
    failed_sizes: tuple[int, ...] = ()
    ran_sizes: tuple[int, ...] = ()
    outcome: AttemptOutcome = AttemptOutcome.COMPLETED
    exit_code: int | None = None
    fraction: float | None = None
    utilization: float | None = None
    peak_utilization: float | None = None
    seconds: float | None = None
    cpu_s: float | None = None
    judged: bool = True
    deferred: bool = False
    checkpoint_s: float = 60.0
    min_fraction: float = 0.50
    max_fraction: float = 0.90
    max_batch_size: int | None = None
    workers: tuple[int, ...] = ()
    cpu_cores: int | None = None

    @property
    def ran_out(self) -> bool:
        return self.outcome is AttemptOutcome.OUT_OF_MEMORY

    @property
    def memory_known(self) -> bool:
        """Whether the peak is that of training and not of a start that went no further."""
        return not self.ran_out and (self.judged or self.outcome is AttemptOutcome.COMPLETED)


@dataclass(frozen=True, slots=True)
class Advice:
    """`code` is stable, `text` one sentence, `figures` what it rests on."""

    code: str
    text: str
    figures: Mapping[str, float] = field(default_factory=dict)


def advise(figures: Figures) -> tuple[Advice, ...]:
    """All advice that these figures give, the most pressing first. Rules: docs/report.md."""
    found = (_out_of_memory(figures), _memory(figures), _slow(figures), _early(figures), _steps(figures))
    return tuple(advice for advice in found if advice is not None)


def _out_of_memory(figures: Figures) -> Advice | None:
    if figures.ran_out:
        return _last_ran_out(figures)
    if not figures.failed_sizes:
        return None
    failed, size = min(figures.failed_sizes), figures.batch_size
    back = f" and the run went back to {size}" if size is not None and size < failed else ""
    text = f"A batch size of {failed} ran out of memory{back}: stay below {failed}."
    return Advice("out_of_memory", text, _present(failed_batch_size=failed, batch_size=size))


def _last_ran_out(figures: Figures) -> Advice:
    size = figures.batch_size
    if size is None:
        text = "The last attempt ran out of memory: use a smaller batch size."
        return Advice("out_of_memory", text)
    bound = min((*figures.failed_sizes, size))
    safe = max((ran for ran in figures.ran_sizes if ran < bound), default=None)
    if safe is not None:
        remedy = f"{safe} ran before, so use that"
    elif bound > 1:
        remedy = f"try {bound // 2}"
    else:
        remedy = "a smaller model or smaller inputs are needed"
    text = f"The last attempt ran out of memory with a batch size of {size}: {remedy}."
    return Advice("out_of_memory", text, _present(failed_batch_size=size, batch_size=safe))


def _memory(figures: Figures) -> Advice | None:
    share = figures.fraction
    if share is None or not figures.memory_known:
        return None
    if share > figures.max_fraction:
        return Advice("keep_size", f"Keep the batch size: memory is {share:.0%} full.", {"fraction": share})
    roomy = share >= figures.min_fraction and share * _MOST <= figures.max_fraction + _ROUNDING
    size = figures.batch_size
    return _larger(figures, size, share) if roomy and size is not None else None


def _larger(figures: Figures, size: int, share: float) -> Advice | None:
    """A size that ran out of memory is the end of what is named, and so is the run's own bound."""
    bounds = [failed - 1 for failed in figures.failed_sizes]
    if figures.max_batch_size is not None:
        bounds.append(figures.max_batch_size)
    low, high = max(int(size * _LEAST), size + 1), int(size * _MOST)
    high = min(max(low, high), *bounds) if bounds else max(low, high)
    low = min(low, high)
    if low <= size:
        return None
    named = f"{low} to {high}" if low < high else f"{high}"
    text = f"Memory is {share:.0%} full with a batch size of {size}: try {named}."
    return Advice("try_larger", text, {"fraction": share, "batch_size": size, "low": low, "high": high})


def _slow(figures: Figures) -> Advice | None:
    share, busy = figures.fraction, figures.utilization
    if share is None or busy is None or not figures.memory_known:
        return None
    if share < figures.min_fraction or busy >= _SLOW:
        return None
    peak = f" and {figures.peak_utilization:.0%} at most" if figures.peak_utilization is not None else ""
    printed = [f"num_workers={', '.join(map(str, figures.workers))}"] if figures.workers else []
    if figures.cpu_cores is not None:
        printed.append(f"{figures.cpu_cores} CPU cores")
    told = f" The script printed {' and '.join(printed)}." if printed else ""
    cores = figures.cpu_s / figures.seconds if figures.cpu_s is not None and figures.seconds else None
    if cores is not None:
        told = f" Its processes kept {cores:.1f} CPU cores busy.{told}"
    text = (
        f"The device was busy {busy:.0%} of the time{peak}, with memory {share:.0%} full:"
        f" look at the number of loader workers and at the disk.{told}"
    )
    rests_on = _present(
        fraction=share,
        utilization=busy,
        peak_utilization=figures.peak_utilization,
        num_workers=min(figures.workers, default=None),
        cpu_cores=figures.cpu_cores,
        busy_cores=cores,
    )
    return Advice("look_at_loading", text, rests_on)


_ENDINGS = {
    AttemptOutcome.COMPLETED: ("ended_early", "The script ended by itself"),
    AttemptOutcome.FAILED: ("failed_early", "The script failed"),
    AttemptOutcome.STOPPED: ("stopped_early", "The run was stopped"),
}


def _early(figures: Figures) -> Advice | None:
    """An attempt that ended before its checkpoint: by itself, by failing, or because it was stopped."""
    ending = _ENDINGS.get(figures.outcome)
    if ending is None or figures.judged or figures.seconds is None:
        return None
    code, what = ending
    if figures.deferred:
        before = "before a training step was seen"
    elif figures.seconds < figures.checkpoint_s:
        before = f"before its checkpoint at {figures.checkpoint_s:.0f} s"
    else:
        return None
    failed = figures.outcome is AttemptOutcome.FAILED and figures.exit_code is not None
    how = f" with exit code {figures.exit_code}" if failed else ""
    text = f"{what}{how} after {figures.seconds:.0f} s, {before}: its memory was not judged."
    return Advice(code, text, {"seconds": figures.seconds, "checkpoint_s": figures.checkpoint_s})


def _steps(figures: Figures) -> Advice | None:
    first, size = figures.first_batch_size, figures.batch_size
    if first is None or size is None or figures.ran_out or not 0 < first < size:
        return None
    text = (
        f"A batch of {size} instead of {first} takes {first / size:.0%} of the optimiser steps an epoch: "
        "the learning rate may need to rise."
    )
    return Advice("fewer_steps", text, {"first_batch_size": first, "batch_size": size})


def _present(**figures: float | None) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}
