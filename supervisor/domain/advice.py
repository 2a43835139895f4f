"""What a run's figures advise. A figure that is missing gives no advice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_ROOM, _ROOMY, _FULL, _SLOW = 0.50, 0.60, 0.90, 0.50


@dataclass(frozen=True, slots=True)
class Figures:
    """What advice rests on, of the last training attempt. Fractions 0 to 1; `utilization` is the mean."""

    batch_size: int | None = None
    first_batch_size: int | None = None
    failed_batch_size: int | None = None
    fraction: float | None = None
    utilization: float | None = None
    seconds: float | None = None
    ended_unjudged: bool = False
    checkpoint_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Advice:
    """`code` is stable, `text` one sentence, `figures` what it rests on."""

    code: str
    text: str
    figures: Mapping[str, float] = field(default_factory=dict)


def advise(figures: Figures) -> tuple[Advice, ...]:
    """All advice that these figures give."""
    found = (_memory(figures), _slow(figures), _ended_early(figures), _went_back(figures), _steps(figures))
    return tuple(advice for advice in found if advice is not None)


def _memory(figures: Figures) -> Advice | None:
    share, size = figures.fraction, figures.batch_size
    if share is None:
        return None
    if share > _FULL:
        return Advice("keep_size", f"Keep the batch size: memory is {share:.0%} full.", {"fraction": share})
    # A size that ran out of memory lies near: nothing larger is advised.
    if size is None or figures.failed_batch_size is not None or not _ROOM <= share <= _ROOMY:
        return None
    low, high = size * 5 // 4, size * 3 // 2
    if low <= size:
        return None
    text = f"Memory is {share:.0%} full: try a batch size of {low} to {high}, 1.25 to 1.5 times {size}."
    return Advice("try_larger", text, {"fraction": share, "batch_size": size})


def _slow(figures: Figures) -> Advice | None:
    share, busy = figures.fraction, figures.utilization
    if share is None or busy is None or share < _ROOM or busy >= _SLOW:
        return None
    text = (
        f"The device was busy {busy:.0%} of the time with memory {share:.0%} full: "
        "look at the number of loader workers and at the disk."
    )
    return Advice("look_at_loading", text, {"fraction": share, "utilization": busy})


def _ended_early(figures: Figures) -> Advice | None:
    if not figures.ended_unjudged or figures.seconds is None or figures.seconds >= figures.checkpoint_s:
        return None
    text = (
        f"The run ended after {figures.seconds:.0f} s, before its checkpoint at "
        f"{figures.checkpoint_s:.0f} s: nothing was judged."
    )
    return Advice("ended_early", text, {"seconds": figures.seconds, "checkpoint_s": figures.checkpoint_s})


def _went_back(figures: Figures) -> Advice | None:
    failed, size = figures.failed_batch_size, figures.batch_size
    if failed is None or size is None:
        return None
    text = f"A batch size of {failed} ran out of memory and the run went back to {size}: stay below {failed}."
    return Advice("out_of_memory", text, {"failed_batch_size": failed, "batch_size": size})


def _steps(figures: Figures) -> Advice | None:
    first, size = figures.first_batch_size, figures.batch_size
    if first is None or size is None or not 0 < first < size:
        return None
    text = (
        f"A batch of {size} instead of {first} takes {first / size:.0%} of the optimiser steps an epoch: "
        "the learning rate may need to rise."
    )
    return Advice("fewer_steps", text, {"first_batch_size": first, "batch_size": size})
