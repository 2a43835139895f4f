"""Runs, attempts and events as the API shows them: sizes in bytes, fractions 0 to 1, times RFC 3339."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from supervisor.domain.checkpoint import Verdict, VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.run import Attempt, Phase, Run, RunState

MASK = "***"
_SECRET_WORDS = ("key", "token", "secret", "password", "passwd", "credential", "auth")


class MemoryView(BaseModel):
    reported: int | None
    measured: int | None
    total: int | None
    fraction: float | None
    attribution: str | None


class ProgressView(BaseModel):
    fold: int | None
    folds: int | None
    epoch: int | None
    epochs: int | None
    step: int | None
    loss: float | None


class VerdictView(BaseModel):
    kind: str
    reported: int | None
    measured: int | None
    total: int | None
    fraction: float | None
    attribution: str | None
    agreement: str | None
    decided_by: str | None
    contradiction: bool
    next_batch_size: int | None
    why: str
    at: datetime


class NextView(BaseModel):
    """What the caller had best do now, and in how many seconds."""

    do: str
    url: str | None
    in_s: float


class WaitView(BaseModel):
    """How a wait ended: `reached`, `timeout`, `ended`, `stopping`; `next` is the call to make then."""

    outcome: str
    next: str | None


class RunView(BaseModel):
    """A run. Phases and reasons may grow: treat values that you do not know as opaque."""

    id: str
    name: str | None
    state: str
    phase: str | None
    reason: str | None
    detail: str | None
    script: str
    device: str | None
    batch_size: int | None
    attempt: int
    attempts: int
    memory: MemoryView | None
    utilization: float | None
    progress: ProgressView | None
    eta_s: float | None
    verdict: VerdictView | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    next: NextView
    links: dict[str, str]
    wait: WaitView | None = None


class AttemptView(BaseModel):
    stage: str
    number: int
    batch_size: int | None
    outcome: str
    reason: str | None
    detail: str | None
    pid: int | None
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    peak_memory: int | None
    peak_utilization: float | None
    verdict: VerdictView | None


class EventView(BaseModel):
    number: int
    at: datetime
    type: str
    attempt: int | None
    data: dict[str, Any]


def run_view(run: Run, wait: WaitView | None = None) -> RunView:
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
        verdict=verdict_view(run.verdict),
        created_at=moment(run.created_at),
        started_at=_maybe(run.started_at),
        ended_at=_maybe(run.ended_at),
        exit_code=run.exit_code if run.state.ended else None,
        next=advice(run),
        links=_links(run),
        wait=wait,
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


def advice(run: Run) -> NextView:
    """What to do next about a run, in the words of one call."""
    base = f"/v1/runs/{run.id}"
    if run.state is RunState.SUCCEEDED:
        return NextView(do="read the attempts", url=f"{base}/attempts", in_s=0)
    if run.state is RunState.STOPPED:
        return NextView(do="nothing: the run was stopped", url=None, in_s=0)
    if run.state.ended:
        return NextView(do="read the end of the log", url=f"{base}/log", in_s=0)
    if judged(run) or run.phase is Phase.FOLLOW_UP:
        return NextView(do="go on with other work, then wait", url=f"{base}?wait_for=finished", in_s=0)
    return NextView(do="wait for the verdict", url=f"{base}?wait_for=checkpoint", in_s=0)


def judged(run: Run) -> bool:
    """Whether the current attempt has its final verdict and is not being relaunched."""
    final = run.verdict is not None and run.verdict.kind is not VerdictKind.DEFERRED
    return final and run.phase is not Phase.RELAUNCHING


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def masked(env: dict[str, str]) -> dict[str, str]:
    """An environment fit to show: values whose names speak of secrets are masked."""
    return {
        name: MASK if any(word in name.lower() for word in _SECRET_WORDS) else value
        for name, value in env.items()
    }


def _maybe(at: float | None) -> datetime | None:
    return moment(at) if at is not None else None


def _memory(run: Run) -> MemoryView | None:
    observed = run.observed
    if observed.reported is None and observed.measured is None:
        return None
    reported, measured = observed.reported, observed.measured
    fraction = measured.fraction if measured else (reported.fraction if reported else None)
    return MemoryView(
        reported=reported.used if reported else None,
        measured=measured.used if measured else None,
        total=observed.device_total,
        fraction=fraction,
        attribution=measured.attribution if measured else None,
    )


def _links(run: Run) -> dict[str, str]:
    base = f"/v1/runs/{run.id}"
    return {
        "self": base,
        "attempts": f"{base}/attempts",
        "events": f"{base}/events",
        "log": f"{base}/log",
        "stop": f"{base}/stop",
    }
