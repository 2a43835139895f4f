"""The checkpoint: two readings in, a verdict out.

The rule of the house: missing or doubtful evidence never kills a run. Only a device's own reading can
make a run `underused`; a printed figure alone ends in `unverified`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from supervisor.domain.progress import RunSample
from supervisor.domain.reading import Attribution, MeasuredReading, ReportedReading

# A CUDA context and the cuBLAS/cuDNN workspaces are in NVML's figure and not in PyTorch's: 300-700 MB.
_CONTEXT_BYTES = 700 * 2**20
# The script seeing more than the device does is the suspicious direction, and gets less room.
_BELOW_SHARE = 0.25
# Memory that moves by less than this share of the device has settled.
_SETTLED_SHARE = 0.01


class VerdictKind(StrEnum):
    GOOD = "good"
    UNDERUSED = "underused"
    OVERFULL = "overfull"
    UNVERIFIED = "unverified"  # printed figure but no device reading
    DEFERRED = "deferred"  # no training step seen yet
    NO_EVIDENCE = "no_evidence"


class Agreement(StrEnum):
    AGREE = "agree"
    DISAGREEMENT = "disagreement"
    ONE_SIDED = "one_sided"


class Source(StrEnum):
    MEASURED = "measured"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """When and how to judge. Times in seconds, fractions of the device's memory from 0 to 1.

    `window_s`: the measured reading is the highest of the samples of the last so many seconds.
    `tolerance`: how far measured may lie above reported, as a share of the device, beside the context.
    """

    after_s: float = 60.0
    min_fraction: float = 0.50
    max_fraction: float = 0.90
    tolerance: float = 0.0625
    retry_s: float = 15.0
    max_wait_s: float = 300.0
    window_s: float = 10.0
    settle_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at the moment of judging. `elapsed_s` counts from the attempt's launch."""

    elapsed_s: float
    step_seen: bool
    reported: ReportedReading | None
    measured: MeasuredReading | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checkpoint concluded, and from what. Sizes in bytes; `at` is Unix seconds."""

    kind: VerdictKind
    why: str
    at: float
    reported: int | None = None
    measured: int | None = None
    total: int | None = None
    fraction: float | None = None
    attribution: Attribution | None = None
    agreement: Agreement | None = None
    decided_by: Source | None = None
    contradiction: bool = False
    next_batch_size: int | None = None


def judge(evidence: Evidence, policy: CheckpointPolicy, *, at: float) -> Verdict:
    """The verdict on an attempt. Rules: docs/behaviour.md, in the order of its table."""
    if not evidence.step_seen:
        return _before_first_step(evidence, policy, at)
    reported, measured = evidence.reported, evidence.measured
    if measured is None:
        return _without_device(reported, at)
    kind, place = _band(measured.fraction, policy)
    agreement = agreement_of(reported, measured, policy.tolerance)
    why = f"the run holds {_gib(measured.used)} of {_gib(measured.total)} ({measured.fraction:.0%}): {place}"
    if reported is not None and agreement is Agreement.DISAGREEMENT:
        why += f"; the script printed {_gib(reported.used)}, which disagrees, so the device's figure decides"
    return Verdict(
        kind=kind,
        why=why,
        at=at,
        reported=reported.used if reported else None,
        measured=measured.used,
        total=measured.total,
        fraction=measured.fraction,
        attribution=measured.attribution,
        agreement=agreement,
        decided_by=Source.MEASURED,
        contradiction=bool(reported and reported.contradiction),
    )


def agreement_of(reported: ReportedReading | None, measured: MeasuredReading, tolerance: float) -> Agreement:
    """Whether the two readings tell the same story.

    `tolerance` is a share of the device. A GPU's own figure may lie above the printed one by that and a
    CUDA context; it may lie below by a quarter of it, which covers rounding and a peak just given back.
    """
    if reported is None:
        return Agreement.ONE_SIDED
    context = 0 if measured.attribution is Attribution.HOST_TREE else _CONTEXT_BYTES
    above = tolerance * measured.total + context
    below = tolerance * measured.total * _BELOW_SHARE
    within = -below <= measured.used - reported.used <= above
    return Agreement.AGREE if within else Agreement.DISAGREEMENT


def settled(samples: Sequence[RunSample], settle_s: float) -> bool:
    """Whether the run's memory on the device has stopped moving for `settle_s` seconds while kernels ran."""
    if not samples or samples[-1].at - samples[0].at < settle_s:
        return False
    newest = samples[-1]
    recent = [sample for sample in samples if newest.at - sample.at <= settle_s]
    held = [sample.measured.used for sample in recent if sample.measured is not None]
    if len(held) < len(recent) or newest.measured is None:
        return False
    busy = any(sample.utilization for sample in recent)
    return busy and max(held) - min(held) <= _SETTLED_SHARE * newest.measured.total


def _before_first_step(evidence: Evidence, policy: CheckpointPolicy, at: float) -> Verdict:
    if evidence.elapsed_s < policy.max_wait_s:
        kind = VerdictKind.DEFERRED
        why = f"no training step seen after {evidence.elapsed_s:.0f} s: still loading data or compiling"
    else:
        kind = VerdictKind.NO_EVIDENCE
        why = f"no training step seen within {policy.max_wait_s:.0f} s: nothing to judge by, the run goes on"
    measured = evidence.measured
    return Verdict(
        kind,
        why,
        at,
        measured=measured.used if measured else None,
        total=measured.total if measured else None,
    )


def _without_device(reported: ReportedReading | None, at: float) -> Verdict:
    if reported is None:
        why = "neither the script nor the device gave a memory figure: the run goes on unjudged"
        return Verdict(VerdictKind.NO_EVIDENCE, why, at)
    why = (
        f"the script printed {_gib(reported.used)}, but the device could not be read: "
        "a printed figure alone decides nothing"
    )
    return Verdict(
        VerdictKind.UNVERIFIED,
        why,
        at,
        reported=reported.used,
        total=reported.total,
        fraction=reported.fraction,
        agreement=Agreement.ONE_SIDED,
        decided_by=Source.REPORTED,
        contradiction=reported.contradiction,
    )


def _band(fraction: float, policy: CheckpointPolicy) -> tuple[VerdictKind, str]:
    if fraction < policy.min_fraction:
        return VerdictKind.UNDERUSED, f"under {policy.min_fraction:.0%}"
    if fraction > policy.max_fraction:
        return VerdictKind.OVERFULL, f"over {policy.max_fraction:.0%}, it may run out of memory"
    return VerdictKind.GOOD, "well used"


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
