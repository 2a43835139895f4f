"""The report as it is put together from a run's record."""

from supervisor.domain.checkpoint import Verdict, VerdictKind
from supervisor.domain.report import SamplePoint, build_report
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, RunState, Stage

SPEC = RunSpec("/jobs/train.py", "/jobs", "/usr/bin/python3")
FIRST = Attempt(
    Stage.TRAINING, 1, 64, (), AttemptOutcome.SUPERSEDED, started_at=100.0, ended_at=170.0, peak=20,
    verdict=Verdict(VerdictKind.UNDERUSED, "under 50%", 160.0, total=100),
)  # fmt: skip
SECOND = Attempt(Stage.TRAINING, 2, 128, (), AttemptOutcome.RUNNING, started_at=175.0, peak=55)
SAMPLES = [
    SamplePoint(120.0, 20, 100, 0.2),
    SamplePoint(130.0, 20, 100, 0.4),
    SamplePoint(180.0, 55, 100, 0.9),
]


def test_a_relaunched_run_tells_before_and_after_and_how_long_it_took() -> None:
    report = build_report(Run("r1", SPEC, 90.0, RunState.RUNNING), [FIRST, SECOND], SAMPLES, 200.0)

    assert report.partial
    assert (report.relaunches, report.to_verdict_s, report.to_corrected_s) == (1, 60.0, 75.0)
    assert report.before is not None
    assert report.after is not None
    assert report.before.fraction == 0.2
    assert report.after.fraction == 0.55
    assert report.after.seconds == 25.0


def test_an_attempt_counts_the_samples_of_its_own_time() -> None:
    report = build_report(Run("r1", SPEC, 90.0, RunState.RUNNING), [FIRST, SECOND], SAMPLES, 200.0)

    assert [round(attempt.mean_utilization or 0, 3) for attempt in report.attempts] == [0.3, 0.9]


def test_a_run_without_attempts_has_a_report_without_figures() -> None:
    report = build_report(Run("r1", SPEC, 90.0, RunState.STOPPED), [], [], 200.0)

    assert (report.partial, report.to_verdict_s, report.before, report.advice) == (False, None, None, ())
