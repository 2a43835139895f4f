"""What an attempt's end was, and what follows from it."""

from dataclasses import replace

import pytest

from supervisor.domain.course import (
    End,
    ProcessEnd,
    Relaunch,
    StartFollowUp,
    Step,
    after_attempt,
    classify,
)
from supervisor.domain.run import Attempt, AttemptOutcome, FollowUp, Intent, Reason, RunSpec, Stage
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
    assert step(COMPLETED, WITH_FOLLOW_UP) == StartFollowUp()


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
