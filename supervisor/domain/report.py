"""The report of a run, from what is on record. Sizes in bytes, times in Unix seconds, fractions 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.domain.advice import Advice, Figures, advise
from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.progress import Progress
from supervisor.domain.run import Attempt, AttemptOutcome, Run, Stage


@dataclass(frozen=True, slots=True)
class SamplePoint:
    """One look at the run's device."""

    at: float
    used: int | None
    total: int | None
    utilization: float | None


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One attempt. `fraction` is the peak's share of the device; `seconds` count to now while it lives."""

    stage: Stage
    number: int
    batch_size: int | None
    peak: int | None
    fraction: float | None
    mean_utilization: float | None
    peak_utilization: float | None
    started_at: float | None
    ended_at: float | None
    seconds: float | None
    outcome: AttemptOutcome
    reason: str | None
    verdict: VerdictKind | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A run as it went. `partial` says that it is not over; `before` and `after` are None with one attempt.

    `to_verdict_s` and `to_corrected_s` count from the first launch to the first final verdict and to the
    launch of the last training attempt.
    """

    run: Run
    made_at: float
    partial: bool
    attempts: tuple[AttemptReport, ...]
    before: AttemptReport | None
    after: AttemptReport | None
    relaunches: int
    to_verdict_s: float | None
    to_corrected_s: float | None
    progress: Progress | None
    samples: tuple[SamplePoint, ...]
    advice: tuple[Advice, ...]


def build_report(run: Run, attempts: Sequence[Attempt], samples: Sequence[SamplePoint], now: float) -> Report:
    """The report at `now`. What is not on record is None, and no advice rests on it."""
    told = tuple(_attempt(attempt, samples, now) for attempt in attempts)
    training = [attempt for attempt in told if attempt.stage is Stage.TRAINING]
    first, last = (training[0], training[-1]) if training else (None, None)
    changed = len(training) > 1
    return Report(
        run=run,
        made_at=now,
        partial=not run.state.ended,
        attempts=told,
        before=first if changed else None,
        after=last if changed else None,
        relaunches=max(0, len(training) - 1),
        to_verdict_s=_to_verdict(attempts),
        to_corrected_s=_between(first.started_at, last.started_at) if changed and first and last else None,
        progress=run.observed.progress,
        samples=tuple(samples),
        advice=advise(_figures(run, training)),
    )


def _attempt(attempt: Attempt, samples: Sequence[SamplePoint], now: float) -> AttemptReport:
    verdict = attempt.verdict
    end = attempt.ended_at
    if end is None and attempt.outcome is AttemptOutcome.RUNNING:
        end = now
    # By time and not by number: a follow-up counts from 1 again.
    own = [point for point in samples if _within(point.at, attempt.started_at, end)]
    busy = [point.utilization for point in own if point.utilization is not None]
    total = (verdict.total if verdict else None) or next((point.total for point in own if point.total), None)
    return AttemptReport(
        stage=attempt.stage,
        number=attempt.number,
        batch_size=attempt.batch_size,
        peak=attempt.peak,
        fraction=attempt.peak / total if attempt.peak is not None and total else None,
        mean_utilization=sum(busy) / len(busy) if busy else None,
        peak_utilization=attempt.peak_utilization,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        seconds=_between(attempt.started_at, end),
        outcome=attempt.outcome,
        reason=attempt.reason,
        verdict=verdict.kind if verdict else None,
        why=verdict.why if verdict else None,
    )


def _figures(run: Run, training: Sequence[AttemptReport]) -> Figures:
    last = training[-1] if training else None
    before = training[-2] if len(training) > 1 else None
    failed = before is not None and before.outcome is AttemptOutcome.OUT_OF_MEMORY
    return Figures(
        batch_size=last.batch_size if last else None,
        first_batch_size=training[0].batch_size if training else None,
        failed_batch_size=before.batch_size if failed and before else None,
        fraction=last.fraction if last else None,
        utilization=last.mean_utilization if last else None,
        seconds=last.seconds if last else None,
        ended_unjudged=run.state.ended and last is not None and last.verdict in {None, VerdictKind.DEFERRED},
        checkpoint_s=run.spec.checkpoint.after_s,
    )


def _to_verdict(attempts: Sequence[Attempt]) -> float | None:
    training = [attempt for attempt in attempts if attempt.stage is Stage.TRAINING]
    for attempt in training:
        if attempt.verdict is not None and attempt.verdict.kind is not VerdictKind.DEFERRED:
            return _between(training[0].started_at, attempt.verdict.at)
    return None


def _within(at: float, start: float | None, end: float | None) -> bool:
    return start is not None and end is not None and start <= at <= end


def _between(start: float | None, end: float | None) -> float | None:
    return max(0.0, end - start) if start is not None and end is not None else None
