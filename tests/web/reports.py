"""A report in which everything is filled in."""

from supervisor.domain.budget import BudgetState
from supervisor.domain.checkpoint import Verdict, VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.progress import Observed, Progress
from supervisor.domain.report import SamplePoint, Usage, build_report
from supervisor.domain.run import Attempt, AttemptOutcome, FollowUp, Reason, Run, RunSpec, RunState, Stage

GIB = 2**30
TOTAL = 24 * GIB
SPEC = RunSpec(
    "/jobs/train.py",
    "/jobs",
    "/usr/bin/python3",
    args=("--epochs", "10", "--api-key", "hush"),
    env={"API_KEY": "hush", "LANG": "C"},
    name="baseline",
    follow_up=FollowUp("/jobs/predict.py"),
    budget_s=900.0,
)
UNDERUSED = Verdict(VerdictKind.UNDERUSED, "the run holds 4.50 GiB (19%): under 50%", 161.0, total=TOTAL)
GOOD = Verdict(VerdictKind.GOOD, "the run holds 13.20 GiB (55%): well used", 235.0, total=TOTAL)
ATTEMPTS = [
    Attempt(
        Stage.TRAINING, 1, 64, (), AttemptOutcome.SUPERSEDED, Reason.UNDERUSED_MEMORY, signal=15,
        started_at=100.0, ended_at=168.0, peak=int(4.5 * GIB), verdict=UNDERUSED,
    ),
    Attempt(
        Stage.TRAINING, 2, 128, (), AttemptOutcome.COMPLETED, Reason.COMPLETED, exit_code=0,
        started_at=175.0, ended_at=660.0, peak=int(13.2 * GIB), verdict=GOOD, cpu_s=970.0,
    ),
    Attempt(
        Stage.FOLLOW_UP, 1, None, (), AttemptOutcome.COMPLETED, Reason.COMPLETED, exit_code=0,
        started_at=662.0, ended_at=699.0,
    ),
]  # fmt: skip
USAGE = {
    (Stage.TRAINING, 1): Usage(0.11, 0.16, int(4.5 * GIB), TOTAL),
    (Stage.TRAINING, 2): Usage(0.41, 0.57, int(13.2 * GIB), TOTAL),
    (Stage.FOLLOW_UP, 1): Usage(0.3, 0.31, 2 * GIB, TOTAL),
}
ARTIFACT = {"path": "/jobs/submission.csv", "ok": False, "problem": "is empty", "size": 0, "rows": 0}
EVENTS = [
    Event(1, 100.0, "attempt_starting", 1, {"stage": "training"}),
    Event(2, 175.0, "attempt_starting", 2, {"stage": "training"}),
    Event(3, 176.0, "resources_reported", 2, {"settings": {"num_workers": 2}}),
    Event(4, 700.0, "artifacts_checked", None, {"artifacts": [ARTIFACT]}),
]
SAMPLES = [
    *(SamplePoint(100.0 + n, int(4.5 * GIB), TOTAL, 0.1) for n in range(0, 68, 2)),
    *(SamplePoint(176.0 + n, int(13.2 * GIB), TOTAL, 0.4) for n in range(0, 480, 2)),
    *(SamplePoint(663.0 + n, 2 * GIB, TOTAL, 0.3) for n in range(0, 36, 2)),
]
RUN = Run(
    "1e3ee3df7b2d",
    SPEC,
    99.0,
    RunState.FAILED,
    reason=Reason.ARTIFACT_MISSING,
    detail="/jobs/submission.csv is empty",
    started_at=100.0,
    ended_at=700.0,
    attempt=2,
    observed=Observed(progress=Progress(5, 5, 10, 10, 3, 4, 0.31)),
)
FULL = build_report(
    RUN,
    ATTEMPTS,
    SAMPLES,
    800.0,
    usage=USAGE,
    events=EVENTS,
    budget=BudgetState(900.0, 999.0, 299.0, 60.0),
)
