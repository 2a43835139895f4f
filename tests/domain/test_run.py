"""States and reasons: which change is legal, and which end each reason gives."""

import pytest

from supervisor.domain.run import (
    IllegalTransitionError,
    Phase,
    Reason,
    Run,
    RunSpec,
    RunState,
    end_state,
    finish,
    transition,
)

ENDS = (RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.LOST)


def run_in(state: RunState, phase: Phase | None = None) -> Run:
    return Run("r1", RunSpec("/train.py", "/", "/python"), created_at=1.0, state=state, phase=phase)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_end(reason: Reason) -> None:
    assert end_state(reason) in ENDS


def test_only_exit_code_zero_and_a_cut_that_cost_nothing_asked_for_are_successes() -> None:
    successes = [reason for reason in Reason if end_state(reason) is RunState.SUCCEEDED]

    assert successes == [Reason.COMPLETED, Reason.BUDGET_EXHAUSTED]


@pytest.mark.parametrize("state", ENDS)
@pytest.mark.parametrize("to", RunState)
def test_nothing_follows_an_end(state: RunState, to: RunState) -> None:
    with pytest.raises(IllegalTransitionError, match=f"r1 cannot go from {state} to {to}"):
        transition(run_in(state), to, at=2.0)


@pytest.mark.parametrize("state", [state for state in RunState if not state.ended])
def test_no_state_is_left_behind_by_going_back(state: RunState) -> None:
    order = list(RunState)
    for to in order[: order.index(state) + 1]:
        with pytest.raises(IllegalTransitionError):
            transition(run_in(state), to, at=2.0)


def test_a_queued_run_cannot_run_before_it_starts() -> None:
    with pytest.raises(IllegalTransitionError):
        transition(run_in(RunState.QUEUED), RunState.RUNNING, at=2.0)


def test_the_first_running_moment_is_the_start_and_stays_it() -> None:
    running = transition(run_in(RunState.STARTING), RunState.RUNNING, at=2.0)
    stopping = transition(running, RunState.STOPPING, at=3.0, reason=Reason.USER_REQUEST)

    assert (running.started_at, stopping.started_at) == (2.0, 2.0)


def test_an_end_clears_the_phase_and_has_a_time() -> None:
    ended = finish(run_in(RunState.RUNNING, Phase.TRAINING), Reason.EXIT_CODE, at=9.0, detail="exit code 3")

    assert (ended.state, ended.phase, ended.ended_at) == (RunState.FAILED, None, 9.0)
    assert (ended.reason, ended.detail) == (Reason.EXIT_CODE, "exit code 3")
