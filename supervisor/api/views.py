"""Runs, attempts, events and samples as the API shows them. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from supervisor.api.advice import advice
from supervisor.api.schemas import (
    AttemptView,
    BriefRunView,
    BudgetView,
    EventView,
    MemoryView,
    ProgressView,
    RunView,
    SampleView,
    VerdictView,
    WaitView,
)
from supervisor.domain.budget import Moment, budget_state
from supervisor.domain.checkpoint import Verdict
from supervisor.domain.events import Event
from supervisor.domain.run import Attempt, Run
from supervisor.store.samples import SampleRow


def run_view(run: Run, now: Moment, wait: WaitView | None = None) -> RunView:
    """A run as it is now."""
    observed = run.observed
    return RunView(
        id=run.id,
        name=run.spec.name,
        state=run.state,
        phase=run.phase,
        reason=run.reason,
        detail=run.detail,
        script=run.spec.script,
        device=run.device_id,
        batch_size=run.batch_size,
        attempt=run.attempt,
        attempts=run.attempt,
        memory=_memory(run),
        utilization=observed.utilization,
        progress=ProgressView.model_validate(observed.progress, from_attributes=True)
        if observed.progress
        else None,
        eta_s=observed.eta_s if not run.state.ended else None,
        budget=_budget(run, now),
        verdict=verdict_view(run.verdict),
        created_at=moment(run.created_at),
        started_at=_maybe(run.started_at),
        ended_at=_maybe(run.ended_at),
        exit_code=run.exit_code if run.state.ended else None,
        next=advice(run, now.wall),
        links=_links(run),
        wait=wait,
    )


def brief_view(run: Run, now: Moment, wait: WaitView | None = None) -> BriefRunView:
    """A run as one line of JSON."""
    fraction = fraction_of(run)
    return BriefRunView(
        id=run.id,
        name=run.spec.name,
        state=run.state,
        phase=run.phase,
        reason=run.reason,
        attempt=run.attempt,
        batch_size=run.batch_size,
        fraction=round(fraction, 3) if fraction is not None else None,
        verdict=run.verdict.kind if run.verdict is not None else None,
        eta_s=round(run.observed.eta_s) if run.observed.eta_s is not None and not run.state.ended else None,
        wait=wait.outcome if wait is not None else None,
        next=wait.next if wait is not None else advice(run, now.wall).url,
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        stage=attempt.stage,
        number=attempt.number,
        batch_size=attempt.batch_size,
        outcome=attempt.outcome,
        reason=attempt.reason,
        detail=attempt.detail,
        pid=attempt.pid,
        started_at=_maybe(attempt.started_at),
        ended_at=_maybe(attempt.ended_at),
        exit_code=attempt.exit_code,
        signal=attempt.signal,
        peak_memory=attempt.peak,
        peak_utilization=attempt.peak_utilization,
        verdict=verdict_view(attempt.verdict),
    )


def verdict_view(verdict: Verdict | None) -> VerdictView | None:
    if verdict is None:
        return None
    return VerdictView(
        kind=verdict.kind,
        reported=verdict.reported,
        measured=verdict.measured,
        total=verdict.total,
        fraction=verdict.fraction,
        attribution=verdict.attribution,
        agreement=verdict.agreement,
        decided_by=verdict.decided_by,
        contradiction=verdict.contradiction,
        next_batch_size=verdict.next_batch_size,
        why=verdict.why,
        at=moment(verdict.at),
    )


def event_view(event: Event) -> EventView:
    return EventView(
        number=event.number, at=moment(event.at), type=event.type, attempt=event.attempt, data=event.data
    )


def sample_views(rows: Sequence[SampleRow]) -> list[SampleView]:
    return [
        SampleView(
            at=moment(row.at),
            attempt=row.attempt,
            used=row.used,
            others=row.others,
            total=row.total,
            fraction=row.used / row.total if row.used is not None and row.total else None,
            utilization=row.utilization,
        )
        for row in rows
    ]


def fraction_of(run: Run) -> float | None:
    """The run's share of its device: measured where it was, else as printed."""
    measured, reported = run.observed.measured, run.observed.reported
    return measured.fraction if measured else (reported.fraction if reported else None)


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _maybe(at: float | None) -> datetime | None:
    return moment(at) if at is not None else None


def _memory(run: Run) -> MemoryView | None:
    observed = run.observed
    reported, measured = observed.reported, observed.measured
    if reported is None and measured is None:
        return None
    return MemoryView(
        reported=reported.used if reported else None,
        measured=measured.used if measured else None,
        total=observed.device_total,
        fraction=fraction_of(run),
        attribution=measured.attribution if measured else None,
    )


def _budget(run: Run, now: Moment) -> BudgetView | None:
    state = budget_state(run, now)
    if state is None:
        return None
    return BudgetView(
        total_s=state.total_s,
        deadline=moment(state.deadline),
        remaining_s=round(state.remaining_s, 1),
        reserve_s=state.reserve_s,
    )


def _links(run: Run) -> dict[str, str]:
    base = f"/v1/runs/{run.id}"
    names = ("attempts", "events", "log", "samples", "report", "stop", "relaunch")
    return {"self": base} | {name: f"{base}/{name}" for name in names}
