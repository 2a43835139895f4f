"""What a run's owner had best do now, in the words of one call. Pure."""

from supervisor.api.schemas import NextView
from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.run import Phase, Run, RunState

_LONGEST_S = 590.0  # no advice looks further ahead than one wait can be


def advice(run: Run, now: float) -> NextView:
    """The next call about a run; `now` is Unix seconds."""
    base = f"/v1/runs/{run.id}"
    if run.state in {RunState.SUCCEEDED, RunState.STOPPED}:
        return NextView(do="read the report", url=f"{base}/report", in_s=0)
    if run.state.ended:
        return NextView(do="read the end of the log", url=f"{base}/log", in_s=0)
    if run.state is RunState.STOPPING:
        return NextView(do="wait for the end", url=f"{base}?wait_for=finished", in_s=0)
    if judged(run) or run.phase is Phase.FOLLOW_UP:
        later = min(run.observed.eta_s or 0.0, _LONGEST_S)
        do = "go on with other work, then wait for the end"
        return NextView(do=do, url=f"{base}?wait_for=finished", in_s=round(later, 1))
    do = "go on with other work, then wait for the verdict"
    return NextView(do=do, url=f"{base}?wait_for=checkpoint", in_s=_until_checkpoint(run, now))


def judged(run: Run) -> bool:
    """Whether the current attempt has its final verdict and is not being relaunched."""
    final = run.verdict is not None and run.verdict.kind is not VerdictKind.DEFERRED
    return final and run.phase is not Phase.RELAUNCHING


def _until_checkpoint(run: Run, now: float) -> float:
    """Seconds to the first attempt's checkpoint. Later ones have no time of their own on record."""
    if run.started_at is None or run.attempt > 1:
        return 0.0
    due = run.started_at + run.spec.checkpoint.after_s
    return round(min(max(0.0, due - now), _LONGEST_S), 1)
