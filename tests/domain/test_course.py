"""What an attempt's end was, and what follows from it."""

from dataclasses import replace

import pytest

from supervisor.domain.budget import TimeLeft
from supervisor.domain.course import (
    End,
    ProcessEnd,
    Relaunch,
    StartFollowUp,
    Step,
    after_attempt,
    classify,
    with_artifacts,
)
from supervisor.domain.run import (
    Artifact,
    Attempt,
    AttemptOutcome,
    FollowUp,
    Intent,
    Reason,
    RunSpec,
    Stage,
)
from supervisor.domain.sizing import SizingKind, SizingPolicy, Trial

SPEC = RunSpec("/train.py", "/", "/python")
WITH_FOLLOW_UP = replace(SPEC, follow_up=FollowUp("/predict.py"))
LIVE = Attempt(Stage.TRAINING, 1, 64, ())
TO_DOUBLE = Intent(Reason.UNDERUSED_MEMORY, 10.0, batch_size=128)
TO_STOP = Intent(Reason.USER_REQUEST, 10.0)
TRIALS = [Trial(64, 8 * 10**9)]


@pytest.mark.parametrize(
    ("intent", "end", "out_of_memory", "outcome", "reason"),
    [
        (None, ProcessEnd(0, None), False, AttemptOutcome.COMPLETED, Reason.COMPLETED),
        (None, ProcessEnd(0, None), True, AttemptOutcome.COMPLETED, Reason.COMPLETED),
        (None, ProcessEnd(1, None), False, AttemptOutcome.FAILED, Reason.EXIT_CODE),
        (None, ProcessEnd(None, 11), False, AttemptOutcome.FAILED, Reason.SIGNAL),
        (None, ProcessEnd(1, None), True, AttemptOutcome.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY),
        (None, ProcessEnd(None, 9), True, AttemptOutcome.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY),
        (None, ProcessEnd(None, None), False, AttemptOutcome.LOST, Reason.SHIM_GONE),
        (None, ProcessEnd(None, None), True, AttemptOutcome.LOST, Reason.SHIM_GONE),
        (TO_DOUBLE, ProcessEnd(None, 15, asked=True), False, AttemptOutcome.SUPERSEDED, TO_DOUBLE.reason),
        (TO_DOUBLE, ProcessEnd(0, None, asked=True), False, AttemptOutcome.SUPERSEDED, TO_DOUBLE.reason),
        (TO_STOP, ProcessEnd(143, None, asked=True), False, AttemptOutcome.STOPPED, Reason.USER_REQUEST),
        (TO_STOP, ProcessEnd(None, None, asked=True), False, AttemptOutcome.STOPPED, Reason.USER_REQUEST),
        # It ended by itself just before it was asked to.
        (TO_DOUBLE, ProcessEnd(0, None), False, AttemptOutcome.COMPLETED, Reason.COMPLETED),
        (TO_STOP, ProcessEnd(3, None), False, AttemptOutcome.FAILED, Reason.EXIT_CODE),
    ],
)
def test_an_end_is_what_was_intended_only_where_it_was_asked_for(
    intent: Intent | None, end: ProcessEnd, out_of_memory: bool, outcome: AttemptOutcome, reason: Reason
) -> None:
    found = classify(end, replace(LIVE, intent=intent, out_of_memory=out_of_memory))

    assert found == (outcome, reason)


def ended(outcome: AttemptOutcome, reason: Reason, **changes: object) -> Attempt:
    return replace(LIVE, outcome=outcome, reason=reason, **changes)


def step(attempt: Attempt, spec: RunSpec = SPEC, *, stop: bool = False, unkillable: bool = False) -> Step:
    return after_attempt(spec, attempt, TRIALS, stop_requested=stop, unkillable=unkillable)


COMPLETED = ended(AttemptOutcome.COMPLETED, Reason.COMPLETED)
SUPERSEDED = ended(AttemptOutcome.SUPERSEDED, Reason.UNDERUSED_MEMORY, intent=TO_DOUBLE)
RAN_OUT = ended(AttemptOutcome.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY)
CRASHED = ended(AttemptOutcome.FAILED, Reason.EXIT_CODE, exit_code=3)


def test_training_that_completed_ends_the_run_or_starts_the_follow_up() -> None:
    assert step(COMPLETED) == End(Reason.COMPLETED)
    assert step(COMPLETED, WITH_FOLLOW_UP) == StartFollowUp("training has completed")


def test_a_stop_after_completion_leaves_the_success_and_skips_the_follow_up() -> None:
    assert step(COMPLETED, WITH_FOLLOW_UP, stop=True) == End(Reason.COMPLETED)


def test_a_superseded_attempt_is_relaunched_with_the_size_that_was_decided() -> None:
    assert step(SUPERSEDED) == Relaunch(128, Reason.UNDERUSED_MEMORY, "relaunched with 128")


@pytest.mark.parametrize(
    ("size", "why"), [(128, "relaunched with 128"), (None, "relaunched with the script as it is")]
)
def test_an_attempt_superseded_at_a_caller_s_request_is_relaunched_with_a_new_size_or_none(
    size: int | None, why: str
) -> None:
    asked = Intent(Reason.USER_REQUEST, 10.0, batch_size=size, relaunch=True)
    outcome, reason = classify(ProcessEnd(None, 15, asked=True), replace(LIVE, intent=asked))

    assert (outcome, reason) == (AttemptOutcome.SUPERSEDED, Reason.USER_REQUEST)
    assert step(ended(outcome, reason, intent=asked)) == Relaunch(size, Reason.USER_REQUEST, why)


@pytest.mark.parametrize("attempt", [SUPERSEDED, RAN_OUT])
def test_a_stop_ends_the_run_whatever_was_intended(attempt: Attempt) -> None:
    assert step(attempt, stop=True) == End(Reason.USER_REQUEST)


@pytest.mark.parametrize("attempt", [SUPERSEDED, RAN_OUT])
def test_nothing_is_relaunched_after_an_attempt_that_could_not_be_killed(attempt: Attempt) -> None:
    found = step(attempt, unkillable=True)

    assert isinstance(found, End)
    assert found.reason is Reason.UNKILLABLE


def test_running_out_of_memory_relaunches_with_less() -> None:
    found = step(RAN_OUT)

    assert isinstance(found, Relaunch)
    assert (found.batch_size, found.reason) == (32, Reason.OUT_OF_MEMORY)


def test_out_of_memory_ends_the_run_where_no_size_may_be_chosen() -> None:
    off = replace(SPEC, sizing=SizingPolicy(policy=SizingKind.OFF))

    assert step(RAN_OUT, off) == End(Reason.OUT_OF_MEMORY, None)
    assert after_attempt(SPEC, RAN_OUT, [], stop_requested=False) == End(Reason.OUT_OF_MEMORY, None)
    assert after_attempt(SPEC, RAN_OUT, [Trial(1, None, out_of_memory=True)], stop_requested=False) == End(
        Reason.OUT_OF_MEMORY, "a batch of 1 ran out of memory"
    )


@pytest.mark.parametrize(
    ("attempt", "end"),
    [
        (CRASHED, End(Reason.EXIT_CODE, "ended with exit code 3")),
        (
            ended(AttemptOutcome.FAILED, Reason.SIGNAL, signal=11),
            End(Reason.SIGNAL, "ended by signal 11"),
        ),
        (
            ended(AttemptOutcome.FAILED, Reason.SPAWN_FAILED, detail="no such file"),
            End(Reason.SPAWN_FAILED, "no such file"),
        ),
        (ended(AttemptOutcome.LOST, Reason.HOST_REBOOTED), End(Reason.HOST_REBOOTED, None)),
    ],
)
def test_any_other_end_is_the_run_s_and_says_how(attempt: Attempt, end: End) -> None:
    assert step(attempt) == end


def test_an_attempt_that_failed_before_the_stop_has_failed() -> None:
    assert step(CRASHED, stop=True) == End(Reason.EXIT_CODE, "ended with exit code 3")


def test_a_lost_attempt_is_lost_even_where_a_stop_was_asked_for() -> None:
    assert step(ended(AttemptOutcome.LOST, Reason.SHIM_GONE), stop=True) == End(Reason.SHIM_GONE, None)


@pytest.mark.parametrize(
    ("outcome", "reason", "stop", "end"),
    [
        (AttemptOutcome.COMPLETED, Reason.COMPLETED, False, Reason.COMPLETED),
        (AttemptOutcome.FAILED, Reason.EXIT_CODE, False, Reason.FOLLOW_UP_FAILED),
        (AttemptOutcome.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY, False, Reason.FOLLOW_UP_FAILED),
        (AttemptOutcome.STOPPED, Reason.USER_REQUEST, True, Reason.USER_REQUEST),
        (AttemptOutcome.LOST, Reason.HOST_REBOOTED, False, Reason.HOST_REBOOTED),
    ],
)
def test_the_follow_up_s_end_is_the_run_s(
    outcome: AttemptOutcome, reason: Reason, stop: bool, end: Reason
) -> None:
    follow_up = replace(ended(outcome, reason, exit_code=1), stage=Stage.FOLLOW_UP)
    found = step(follow_up, WITH_FOLLOW_UP, stop=stop)

    assert isinstance(found, End)
    assert found.reason is end


CUT_SHORT = ended(
    AttemptOutcome.STOPPED, Reason.BUDGET_EXHAUSTED, intent=Intent(Reason.BUDGET_EXHAUSTED, 10.0)
)
WITH_ARTIFACT = replace(SPEC, artifacts=(Artifact("/submission.csv"),))


def step_with(
    left: TimeLeft, attempt: Attempt, spec: RunSpec, *, stop: bool = False, completed: bool = True
) -> Step:
    return after_attempt(spec, attempt, TRIALS, stop_requested=stop, left=left, training_completed=completed)


def reason_of(found: Step) -> Reason:
    assert isinstance(found, End)
    return found.reason


@pytest.mark.parametrize("attempt", [CUT_SHORT, SUPERSEDED])
def test_training_cut_by_the_budget_is_followed_by_what_was_reserved_for(attempt: Attempt) -> None:
    found = step_with(TimeLeft.FOLLOW_UP, attempt, WITH_FOLLOW_UP)

    assert found == StartFollowUp("training was stopped to keep the budget")


@pytest.mark.parametrize("attempt", [CUT_SHORT, SUPERSEDED, COMPLETED])
def test_no_follow_up_is_started_after_the_deadline(attempt: Attempt) -> None:
    found = step_with(TimeLeft.NOTHING, attempt, WITH_FOLLOW_UP)

    assert reason_of(found) is Reason.OUT_OF_TIME


def test_training_cut_without_a_follow_up_can_succeed_only_by_its_artifacts() -> None:
    assert reason_of(step_with(TimeLeft.FOLLOW_UP, CUT_SHORT, SPEC)) is Reason.OUT_OF_TIME
    assert reason_of(step_with(TimeLeft.NOTHING, CUT_SHORT, WITH_ARTIFACT)) is Reason.BUDGET_EXHAUSTED


def test_a_stop_goes_before_the_budget() -> None:
    found = step_with(TimeLeft.FOLLOW_UP, CUT_SHORT, WITH_FOLLOW_UP, stop=True)

    assert reason_of(found) is Reason.USER_REQUEST


def test_no_smaller_size_is_launched_when_the_time_for_training_is_over() -> None:
    found = step_with(TimeLeft.FOLLOW_UP, RAN_OUT, WITH_FOLLOW_UP)

    assert found == End(
        Reason.OUT_OF_MEMORY,
        "64 ran out of memory and no size is known to run: half of it; the budget leaves no time for that",
    )


@pytest.mark.parametrize(
    ("outcome", "reason", "completed", "end"),
    [
        (AttemptOutcome.COMPLETED, Reason.COMPLETED, True, Reason.COMPLETED),
        (AttemptOutcome.COMPLETED, Reason.COMPLETED, False, Reason.BUDGET_EXHAUSTED),
        (AttemptOutcome.STOPPED, Reason.BUDGET_EXHAUSTED, True, Reason.OUT_OF_TIME),
        (AttemptOutcome.STOPPED, Reason.BUDGET_EXHAUSTED, False, Reason.OUT_OF_TIME),
    ],
)
def test_the_follow_up_s_end_tells_whether_training_was_cut_or_the_follow_up(
    outcome: AttemptOutcome, reason: Reason, completed: bool, end: Reason
) -> None:
    follow_up = replace(ended(outcome, reason), stage=Stage.FOLLOW_UP)

    assert reason_of(step_with(TimeLeft.NOTHING, follow_up, WITH_FOLLOW_UP, completed=completed)) is end


def test_a_success_stands_when_nothing_is_wrong_with_its_artifacts() -> None:
    for reason in (Reason.COMPLETED, Reason.BUDGET_EXHAUSTED):
        assert with_artifacts(WITH_ARTIFACT, End(reason), []) == End(reason)


def test_a_bad_artifact_fails_the_run_and_is_named() -> None:
    found = with_artifacts(WITH_ARTIFACT, End(Reason.COMPLETED), ["/a is missing", "/b is empty"])

    assert found == End(Reason.ARTIFACT_MISSING, "/a is missing; /b is empty")


def test_a_long_list_of_bad_artifacts_is_cut() -> None:
    found = with_artifacts(WITH_ARTIFACT, End(Reason.COMPLETED), [f"/{n} is missing" for n in range(5)])

    assert found.detail == "/0 is missing; /1 is missing; /2 is missing; and 2 more"


def test_a_cut_that_left_no_artifact_is_the_budget_s_fault_unless_a_follow_up_was_to_write_it() -> None:
    cut = End(Reason.BUDGET_EXHAUSTED, "cut")

    assert with_artifacts(WITH_ARTIFACT, cut, ["/a is missing"]) == End(
        Reason.OUT_OF_TIME, "cut; /a is missing"
    )
    assert with_artifacts(WITH_FOLLOW_UP, cut, ["/a is missing"]).reason is Reason.ARTIFACT_MISSING
