"""The report of a run, from what is on record. Sizes in bytes, times in Unix seconds, fractions 0 to 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from supervisor.domain.advice import Advice, Figures, advise
from supervisor.domain.budget import BudgetState
from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.progress import Progress
from supervisor.domain.run import Attempt, AttemptOutcome, Run, Stage
from supervisor.domain.telling import ArtifactReport, artifacts_of, printed_settings, progress_of_training

AttemptKey = tuple[Stage, int]
N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class SamplePoint:
    """One look at the run's device."""

    at: float
    used: int | None
    total: int | None
    utilization: float | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What all stored samples of an attempt say together."""

    mean_utilization: float | None = None
    peak_utilization: float | None = None
    peak: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One attempt. `fraction` is the peak's share of the device; `seconds` count to now while it lives.

    `why` is the verdict's sentence, `cpu_s` the processor time that it took, known once it has ended.
    """

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
    cpu_s: float | None
    outcome: AttemptOutcome
    reason: str | None
    exit_code: int | None
    signal: int | None
    verdict: VerdictKind | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A run as it went. `partial` says that it is not over; `before` and `after` are None with one attempt.

    `to_verdict_s` and `to_corrected_s` count from the first launch to the first final verdict and to the
    launch of the last training attempt. `folds_done` are those surely over.
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
    folds_done: int | None
    budget: BudgetState | None
    artifacts: tuple[ArtifactReport, ...]
    samples: tuple[SamplePoint, ...]
    advice: tuple[Advice, ...]


def build_report(
    run: Run,
    attempts: Sequence[Attempt],
    samples: Sequence[SamplePoint],
    now: float,
    *,
    budget: BudgetState | None = None,
    usage: Mapping[AttemptKey, Usage] | None = None,
    events: Sequence[Event] = (),
) -> Report:
    """The report at `now`. What is not on record is None, and no advice rests on it.

    `samples` are for plots and may be thinned; means and peaks come from `usage`, which knows them all.
    `events` are in order, and need hold no other types than `telling.TYPES`.
    """
    known = usage or {}
    told = tuple(_attempt(each, known.get((each.stage, each.number), Usage()), now) for each in attempts)
    training = [attempt for attempt in told if attempt.stage is Stage.TRAINING]
    first, last = (training[0], training[-1]) if training else (None, None)
    changed = len(training) > 1
    progress = progress_of_training(events, run.observed.progress)
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
        progress=progress,
        folds_done=_folds_done(progress, last),
        budget=budget,
        artifacts=artifacts_of(events),
        samples=tuple(samples),
        advice=advise(_figures(run, training, events)),
    )


def span_of(attempt: Attempt, now: float) -> tuple[float, float] | None:
    """From an attempt's launch to its end, or to `now` while it lives; None where it was never launched."""
    end = attempt.ended_at
    if end is None and attempt.outcome is AttemptOutcome.RUNNING:
        end = now
    return None if attempt.started_at is None or end is None else (attempt.started_at, end)


def _attempt(attempt: Attempt, usage: Usage, now: float) -> AttemptReport:
    verdict = attempt.verdict
    # An attempt's own peaks are put on record at its end, and hold looks that were not stored.
    peak = _highest(attempt.peak, usage.peak)
    total = usage.total or (verdict.total if verdict else None)
    span = span_of(attempt, now)
    return AttemptReport(
        stage=attempt.stage,
        number=attempt.number,
        batch_size=attempt.batch_size,
        peak=peak,
        fraction=peak / total if peak is not None and total else None,
        mean_utilization=usage.mean_utilization,
        peak_utilization=_highest(attempt.peak_utilization, usage.peak_utilization),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        seconds=_between(*span) if span else None,
        cpu_s=attempt.cpu_s,
        outcome=attempt.outcome,
        reason=attempt.reason,
        exit_code=attempt.exit_code,
        signal=attempt.signal,
        verdict=verdict.kind if verdict else None,
        why=verdict.why if verdict else None,
    )


def _figures(run: Run, training: Sequence[AttemptReport], events: Sequence[Event]) -> Figures:
    if not training:
        return Figures()
    last, checkpoint = training[-1], run.spec.checkpoint
    sized = [(attempt.batch_size, attempt.outcome) for attempt in training if attempt.batch_size is not None]
    settings = printed_settings(events)
    return Figures(
        batch_size=last.batch_size,
        first_batch_size=training[0].batch_size,
        failed_sizes=tuple(size for size, outcome in sized if outcome is AttemptOutcome.OUT_OF_MEMORY),
        ran_sizes=tuple(size for size, outcome in sized if outcome in _RAN),
        outcome=last.outcome,
        exit_code=last.exit_code,
        fraction=last.fraction,
        utilization=last.mean_utilization,
        peak_utilization=last.peak_utilization,
        seconds=last.seconds,
        cpu_s=last.cpu_s,
        judged=last.verdict not in {None, VerdictKind.DEFERRED},
        deferred=last.verdict is VerdictKind.DEFERRED,
        checkpoint_s=checkpoint.after_s,
        min_fraction=checkpoint.min_fraction,
        max_fraction=checkpoint.max_fraction,
        max_batch_size=run.spec.sizing.max_batch_size,
        workers=settings.workers,
        cpu_cores=settings.cpu_cores,
    )


_RAN = frozenset({AttemptOutcome.COMPLETED, AttemptOutcome.SUPERSEDED, AttemptOutcome.RUNNING})


def _folds_done(progress: Progress | None, last: AttemptReport | None) -> int | None:
    """A fold that was seen may still have been under way, unless training came to its own end."""
    if progress is None or progress.fold is None or last is None:
        return None
    return progress.fold if last.outcome is AttemptOutcome.COMPLETED else max(0, progress.fold - 1)


def _to_verdict(attempts: Sequence[Attempt]) -> float | None:
    training = [attempt for attempt in attempts if attempt.stage is Stage.TRAINING]
    for attempt in training:
        if attempt.verdict is not None and attempt.verdict.kind is not VerdictKind.DEFERRED:
            return _between(training[0].started_at, attempt.verdict.at)
    return None


def _highest(one: N | None, other: N | None) -> N | None:
    present = [value for value in (one, other) if value is not None]
    return max(present, default=None)


def _between(start: float | None, end: float | None) -> float | None:
    return max(0.0, end - start) if start is not None and end is not None else None
