"""The report as it is put together from a run's record."""

from dataclasses import replace

import pytest

from supervisor.domain.checkpoint import CheckpointPolicy, Verdict, VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.progress import Observed, Progress
from supervisor.domain.report import Report, Usage, build_report, span_of
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, RunState, Stage
from supervisor.domain.sizing import SizingPolicy

SPEC = RunSpec("/jobs/train.py", "/jobs", "/usr/bin/python3")
RUN = Run("r1", SPEC, 90.0, RunState.RUNNING)
FIRST = Attempt(
    Stage.TRAINING, 1, 64, (), AttemptOutcome.SUPERSEDED, started_at=100.0, ended_at=170.0, peak=20,
    verdict=Verdict(VerdictKind.UNDERUSED, "under 50%", 160.0, total=100),
)  # fmt: skip
SECOND = Attempt(Stage.TRAINING, 2, 128, (), AttemptOutcome.RUNNING, started_at=175.0)
GOOD = Verdict(VerdictKind.GOOD, "well used", 180.0, total=100)
USAGE = {(Stage.TRAINING, 1): Usage(0.3, 0.4, 19, 100), (Stage.TRAINING, 2): Usage(0.9, 0.95, 55, 100)}


def reported(*attempts: Attempt, run: Run = RUN, now: float = 200.0) -> Report:
    return build_report(run, attempts, [], now, usage=USAGE)


def codes(report: Report) -> list[str]:
    return [advice.code for advice in report.advice]


def test_a_relaunched_run_tells_before_and_after_and_how_long_it_took() -> None:
    report = reported(FIRST, SECOND)

    assert report.partial
    assert (report.relaunches, report.to_verdict_s, report.to_corrected_s) == (1, 60.0, 75.0)
    assert report.before is not None
    assert report.after is not None
    assert (report.before.fraction, report.before.why) == (0.2, "under 50%")
    assert report.after.fraction == 0.55
    assert report.after.seconds == 25.0


def test_an_attempt_has_the_mean_over_its_samples_and_the_highest_peak_on_record() -> None:
    first, second = reported(replace(FIRST, peak_utilization=0.5), SECOND).attempts

    assert (first.mean_utilization, first.peak_utilization, first.peak) == (0.3, 0.5, 20)
    assert (second.mean_utilization, second.peak_utilization, second.peak) == (0.9, 0.95, 55)


def test_a_deferred_verdict_is_not_yet_the_verdict() -> None:
    deferred = Verdict(VerdictKind.DEFERRED, "still loading", 160.0)

    assert reported(replace(FIRST, verdict=deferred)).to_verdict_s is None


def test_a_run_without_attempts_has_a_report_without_figures() -> None:
    report = build_report(replace(RUN, state=RunState.STOPPED), [], [], 200.0)

    assert (report.partial, report.to_verdict_s, report.before, report.advice) == (False, None, None, ())


@pytest.mark.parametrize(
    ("attempt", "span"),
    [
        (FIRST, (100.0, 170.0)),
        (SECOND, (175.0, 200.0)),
        (replace(SECOND, outcome=AttemptOutcome.LOST), None),
        (replace(SECOND, started_at=None), None),
    ],
)
def test_an_attempt_spans_the_time_from_its_launch_to_its_end_or_to_now(
    attempt: Attempt, span: tuple[float, float] | None
) -> None:
    assert span_of(attempt, 200.0) == span


@pytest.mark.parametrize(
    ("outcome", "done"),
    [(AttemptOutcome.COMPLETED, 3), (AttemptOutcome.RUNNING, 2), (AttemptOutcome.FAILED, 2)],
)
def test_a_fold_counts_as_done_when_the_next_began_or_training_completed(
    outcome: AttemptOutcome, done: int
) -> None:
    run = replace(RUN, observed=Observed(progress=Progress(fold=3, folds=5)))

    assert reported(replace(SECOND, outcome=outcome), run=run).folds_done == done


def test_advice_rests_on_the_last_attempt_and_the_run_s_own_bounds() -> None:
    judged = replace(SECOND, verdict=GOOD)
    strict = replace(SPEC, checkpoint=CheckpointPolicy(min_fraction=0.7))
    bounded = replace(SPEC, sizing=SizingPolicy(max_batch_size=160))
    full = replace(SPEC, checkpoint=CheckpointPolicy(max_fraction=0.5))

    assert codes(reported(FIRST, judged)) == ["try_larger", "fewer_steps"]
    assert codes(reported(FIRST, SECOND)) == ["fewer_steps"]
    assert codes(reported(FIRST, judged, run=replace(RUN, spec=strict))) == ["fewer_steps"]
    assert codes(reported(FIRST, judged, run=replace(RUN, spec=full))) == ["keep_size", "fewer_steps"]
    larger = reported(FIRST, judged, run=replace(RUN, spec=bounded)).advice[0]
    assert (larger.figures["low"], larger.figures["high"]) == (160, 160)


def test_a_size_that_ran_out_of_memory_in_any_attempt_bounds_what_is_advised() -> None:
    failed = replace(FIRST, batch_size=136, outcome=AttemptOutcome.OUT_OF_MEMORY)
    between = replace(FIRST, number=2, batch_size=64)
    last = replace(SECOND, number=2, verdict=GOOD)
    out, larger = reported(failed, between, last).advice

    assert "136 ran out of memory and the run went back to 128" in out.text
    assert larger.figures["high"] == 135


def test_a_run_that_ended_out_of_memory_is_told_the_largest_size_that_ran() -> None:
    (advice,) = reported(FIRST, replace(SECOND, outcome=AttemptOutcome.OUT_OF_MEMORY, peak=99)).advice

    assert advice.code == "out_of_memory"
    assert "64 ran before" in advice.text


def test_printed_workers_stand_in_the_advice_on_loading() -> None:
    idle = {(Stage.TRAINING, 2): Usage(0.2, 0.3, 70, 100)}
    events = [
        Event(1, 1.0, "attempt_starting", 2, {"stage": "training"}),
        Event(2, 2.0, "resources_reported", 2, {"settings": {"num_workers": 2, "cpu_cores": 32}}),
    ]
    judged = replace(SECOND, verdict=GOOD)
    report = build_report(RUN, [judged], [], 200.0, usage=idle, events=events)

    assert "num_workers=2 and 32 CPU cores" in report.advice[0].text


@pytest.mark.parametrize(
    ("outcome", "code"), [(AttemptOutcome.STOPPED, "stopped_early"), (AttemptOutcome.FAILED, "failed_early")]
)
def test_an_attempt_that_ended_before_its_checkpoint_is_told(outcome: AttemptOutcome, code: str) -> None:
    ended = replace(SECOND, outcome=outcome, ended_at=185.0)

    assert codes(reported(ended)) == [code]


def test_how_early_an_end_is_goes_by_the_run_s_own_checkpoint() -> None:
    soon = replace(RUN, spec=replace(SPEC, checkpoint=CheckpointPolicy(after_s=10.0)))

    assert codes(reported(replace(SECOND, outcome=AttemptOutcome.STOPPED, ended_at=185.0), run=soon)) == []
