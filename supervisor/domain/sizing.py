"""The choice of the next batch size from the attempts so far.

Rules: docs/behaviour.md. A size that ran out of memory is never tried again, nor is one above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_STEP = 8  # a replaced size is a multiple of this: tensor cores and people both like it


class SizingKind(StrEnum):
    DOUBLE = "double"
    OFF = "off"


class SizingEdit(StrEnum):
    """Where a size is changed that no argument sets yet."""

    FILE = "file"  # in the script, or in the file that it reads
    ARGS = "args"  # on the command line, by the script's own flag; no file is touched


@dataclass(frozen=True, slots=True)
class SizingPolicy:
    """How far to go, and what is changed. Fractions of the device's memory, 0 to 1.

    `max_fraction` is the most that a next size may be predicted to hold; a doubling predicted above it
    is replaced by the largest size predicted under `target_fraction`.
    """

    policy: SizingKind = SizingKind.DOUBLE
    max_relaunches: int = 4
    max_batch_size: int | None = None
    max_fraction: float = 0.90
    target_fraction: float = 0.75
    edit: SizingEdit = SizingEdit.FILE


@dataclass(frozen=True, slots=True)
class SizePlace:
    """A number that a caller chose as the batch size, told so that it is found again after lines have moved.

    `text` is its line without it, behind the names of the functions around it; `nth` (from 1) counts among
    the `of` numbers with that name and text.
    """

    line: int
    name: str
    text: str
    nth: int
    of: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What one attempt taught: its batch size, the memory it held in bytes, whether it ran out.

    `requested`: a caller asked for its launch, so it is none of the relaunches that are bounded.
    """

    batch_size: int
    memory: int | None
    out_of_memory: bool = False
    requested: bool = False


@dataclass(frozen=True, slots=True)
class SizingDecision:
    """The next batch size, or None for "stay", and the sentence that says why."""

    batch_size: int | None
    why: str


def next_batch_size(
    trials: Sequence[Trial], *, total: int, others: int, policy: SizingPolicy
) -> SizingDecision:
    """The size to try after an `underused` verdict on the last trial.

    `total` is the device's memory and `others` what other tenants hold of it, in bytes. Relaunches are
    counted from the trials: each but the first and those that a caller asked for is one.
    """
    if policy.policy is SizingKind.OFF:
        return SizingDecision(None, "sizing is off")
    current = trials[-1]
    relaunches = sum(not trial.requested for trial in trials[1:])
    if relaunches >= policy.max_relaunches:
        return SizingDecision(
            None, f"all relaunches allowed ({relaunches}) are used up; going on with {current.batch_size}"
        )
    ceiling = _ceiling(trials, policy)
    proposed = 2 * current.batch_size
    if ceiling is not None and proposed > ceiling:
        proposed = ceiling
    if proposed <= current.batch_size:
        return SizingDecision(None, f"{current.batch_size} is the largest size allowed; going on with it")
    return _fitting(trials, proposed, total=total, others=others, policy=policy)


def after_out_of_memory(trials: Sequence[Trial]) -> SizingDecision:
    """The size to go back to after the last trial ran out of memory: the largest that ran, else half.

    Sizes only fall here, so this ends by itself and needs no bound on relaunches.
    """
    failed = trials[-1].batch_size
    ran = [trial.batch_size for trial in trials if not trial.out_of_memory and trial.batch_size < failed]
    if ran:
        return SizingDecision(
            max(ran), f"{failed} ran out of memory: back to {max(ran)}, the largest that ran"
        )
    if failed > 1:
        return SizingDecision(
            failed // 2, f"{failed} ran out of memory and no size is known to run: half of it"
        )
    return SizingDecision(None, "a batch of 1 ran out of memory")


def _ceiling(trials: Sequence[Trial], policy: SizingPolicy) -> int | None:
    """The largest size that may be tried at all, or None for no limit."""
    limits = [] if policy.max_batch_size is None else [policy.max_batch_size]
    failed = [trial.batch_size for trial in trials if trial.out_of_memory]
    if failed:
        ran = [trial.batch_size for trial in trials if not trial.out_of_memory]
        limits.append(max((size for size in ran if size < min(failed)), default=min(failed) - 1))
    return min(limits, default=None)


def _fitting(
    trials: Sequence[Trial], proposed: int, *, total: int, others: int, policy: SizingPolicy
) -> SizingDecision:
    current = trials[-1]
    line = _memory_line(trials)
    if line is None:
        # Memory cannot more than double with the batch, so this is the worst case.
        worst = (current.memory or 0) * proposed / current.batch_size
        if worst + others > total:
            held = f"{others / 2**30:.1f} GiB is held by others"
            return SizingDecision(None, f"{proposed} may not fit, {held}; going on with {current.batch_size}")
        return SizingDecision(proposed, f"trying {proposed}")
    fixed, each = line
    predicted = fixed + each * proposed
    prediction = f"{proposed} is predicted at {predicted / total:.0%} of memory"
    if predicted + others <= policy.max_fraction * total:
        return SizingDecision(proposed, f"trying {proposed}; {prediction}")
    replaced = int((policy.target_fraction * total - others - fixed) / each) // _STEP * _STEP
    if replaced <= current.batch_size:
        return SizingDecision(None, f"{prediction}; going on with {current.batch_size}")
    return SizingDecision(min(replaced, proposed), f"{prediction}, so {replaced} instead")


def _memory_line(trials: Sequence[Trial]) -> tuple[float, float] | None:
    """Memory as fixed + each x batch through the last two sizes, or None where they do not give one."""
    known: dict[int, int] = {}
    for trial in trials:
        if trial.memory is not None and not trial.out_of_memory:
            known[trial.batch_size] = trial.memory
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    (small, low), (large, high) = sorted(known.items())[-2:]
    each = (high - low) / (large - small)
    return (low - each * small, each) if each > 0 else None
