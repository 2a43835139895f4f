"""When a budget stops which script, what is left of it, and which one is too short."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.domain.budget import (
    BudgetState,
    Moment,
    TimeLeft,
    budget_state,
    deadline_of,
    reserve_of,
    shortest_budget,
    stop_at,
    stop_in,
    time_left,
)
from supervisor.domain.run import FollowUp, Run, RunSpec, Stage

START = Moment(boottime=1000.0, boot_id="a", wall=5000.0)
SPEC = RunSpec("/train.py", "/", "/python", grace_s=10, follow_up=FollowUp("/predict.py"))


def run_with(budget_s: float | None, reserve_s: float = 30.0) -> Run:
    spec = replace(SPEC, budget_s=budget_s, reserve_s=reserve_s)
    return Run("r", spec, created_at=START.wall, deadline=deadline_of(budget_s, START))


def after(seconds: float, **changes: float | str) -> Moment:
    moved = replace(START, boottime=START.boottime + seconds, wall=START.wall + seconds)
    return replace(moved, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("elapsed", "training", "follow_up", "left"),
    [
        (0, 60, 100, TimeLeft.TRAINING),
        (59, 1, 41, TimeLeft.TRAINING),
        (60, 0, 40, TimeLeft.FOLLOW_UP),
        (99, 0, 1, TimeLeft.FOLLOW_UP),
        (100, 0, 0, TimeLeft.NOTHING),
        (500, 0, 0, TimeLeft.NOTHING),
    ],
)
def test_training_leaves_the_reserve_and_the_grace_and_the_follow_up_has_it_all(
    elapsed: float, training: float, follow_up: float, left: TimeLeft
) -> None:
    run, now = run_with(100), after(elapsed)

    assert stop_in(run, Stage.TRAINING, now) == training
    assert stop_in(run, Stage.FOLLOW_UP, now) == follow_up
    assert time_left(run, now) is left


def test_without_a_reserve_training_leaves_the_grace_alone() -> None:
    assert stop_in(run_with(100, reserve_s=0), Stage.TRAINING, START) == 90


def test_without_a_budget_nothing_is_ever_stopped() -> None:
    run = run_with(None)

    assert stop_in(run, Stage.TRAINING, after(1e9)) == float("inf")
    assert time_left(run, after(1e9)) is TimeLeft.TRAINING
    assert (stop_at(run, Stage.TRAINING, START), budget_state(run, START)) == (None, None)


def test_a_wall_clock_that_is_set_moves_no_deadline() -> None:
    run = run_with(100)
    set_forward = after(10, wall=9000.0)

    assert stop_in(run, Stage.FOLLOW_UP, set_forward) == 90
    assert stop_at(run, Stage.FOLLOW_UP, set_forward) == 9090


def test_after_a_reboot_the_wall_clock_serves() -> None:
    rebooted = after(70, boottime=3.0, boot_id="b")

    assert stop_in(run_with(100), Stage.FOLLOW_UP, rebooted) == 30


def test_the_figures_of_a_budget() -> None:
    run = run_with(100)

    assert budget_state(run, after(40)) == BudgetState(100, 5100.0, 60, 30)
    assert budget_state(run, after(400)) == BudgetState(100, 5100.0, 0, 30)
    assert budget_state(replace(run, ended_at=5090.0), after(400)) == BudgetState(100, 5100.0, 10, 30)


@pytest.mark.parametrize(
    ("budget", "asked", "follow_up", "reserve"),
    [
        (None, 20, True, 0),
        (100, None, False, 0),
        (100, None, True, 25),
        (240, None, True, 60),
        (3600, None, True, 60),
        (3600, 300, True, 300),
        (3600, 0, True, 0),
        (3600, 300, False, 300),
    ],
)
def test_the_reserve_is_as_asked_for_or_a_quarter_of_the_budget_up_to_a_minute(
    budget: float | None, asked: float | None, follow_up: bool, reserve: float
) -> None:
    assert reserve_of(budget, asked, follow_up=follow_up) == reserve


seconds = st.floats(0, 1e6)


@given(
    budget=st.floats(0.01, 1e6),
    grace=seconds,
    asked=st.none() | seconds,
    follow_up=st.booleans(),
)
def test_a_budget_is_long_enough_exactly_when_it_leaves_time_for_training(
    budget: float, grace: float, asked: float | None, follow_up: bool
) -> None:
    left = budget - grace - reserve_of(budget, asked, follow_up=follow_up)
    if abs(left) > 1e-6:
        assert (budget > shortest_budget(grace, asked, follow_up=follow_up)) == (left > 0)


@given(budget=st.floats(0.01, 1e6), reserve=seconds, elapsed=seconds)
def test_training_is_never_stopped_later_than_the_follow_up_nor_before_now(
    budget: float, reserve: float, elapsed: float
) -> None:
    run, now = run_with(budget, reserve), after(elapsed)

    assert 0 <= stop_in(run, Stage.TRAINING, now) <= stop_in(run, Stage.FOLLOW_UP, now) <= budget + 1e-6
