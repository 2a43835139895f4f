"""A run's budget: when each of its scripts must stop, what is left, and which budget is too short.

All durations are in seconds. A deadline counts on the boot-time clock, which goes on through suspend and is
not moved when the wall clock is set. After a reboot that clock begins anew, and the wall clock has to serve.
"""

from dataclasses import dataclass
from enum import StrEnum

from supervisor.domain.run import Deadline, Run, RunSpec, Stage

_RESERVE_SHARE = 0.25
_RESERVE_MOST_S = 60.0
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks: `boottime` in seconds under this `boot_id`, `wall` in Unix seconds."""

    boottime: float
    boot_id: str
    wall: float


class TimeLeft(StrEnum):
    """What a run's budget still has time for."""

    TRAINING = "training"
    FOLLOW_UP = "follow_up"  # training would be stopped at once
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget as it is shown. `deadline` is in Unix seconds; an ended run's `remaining_s` was left over."""

    total_s: float
    deadline: float
    remaining_s: float
    reserve_s: float


def deadline_of(budget_s: float | None, now: Moment) -> Deadline | None:
    """The end of a budget that begins now; None without a budget."""
    if budget_s is None:
        return None
    return Deadline(now.boottime + budget_s, now.boot_id, now.wall + budget_s)


def reserve_of(budget_s: float | None, asked_s: float | None, *, follow_up: bool) -> float:
    """The reserve as asked for, else for a follow-up a quarter of the budget up to 60 s, and none without."""
    if budget_s is None:
        return 0.0
    if asked_s is not None:
        return asked_s
    return min(_RESERVE_MOST_S, budget_s * _RESERVE_SHARE) if follow_up else 0.0


def shortest_budget(grace_s: float, asked_s: float | None, *, follow_up: bool) -> float:
    """A budget must be longer than this to leave time for training beside the reserve and the grace."""
    if asked_s is not None or not follow_up:
        return grace_s + (asked_s or 0.0)
    return min(grace_s / (1 - _RESERVE_SHARE), grace_s + _RESERVE_MOST_S)


def stop_in(run: Run, stage: Stage, now: Moment) -> float:
    """Seconds until a script of this stage gets SIGTERM, 0 when that is over, infinity without a budget.

    Training is stopped the grace and the reserve before the deadline, the follow-up at the deadline.
    """
    if run.deadline is None:
        return _NEVER
    return max(0.0, _until(run.deadline, now) - _lead(run.spec, stage))


def stop_at(run: Run, stage: Stage, now: Moment) -> float | None:
    """The same as Unix seconds of the wall clock as it stands now; None without a budget."""
    return None if run.deadline is None else now.wall + stop_in(run, stage, now)


def time_left(run: Run, now: Moment) -> TimeLeft:
    """What may still be launched now."""
    if stop_in(run, Stage.TRAINING, now) > 0:
        return TimeLeft.TRAINING
    return TimeLeft.FOLLOW_UP if stop_in(run, Stage.FOLLOW_UP, now) > 0 else TimeLeft.NOTHING


def budget_state(run: Run, now: Moment) -> BudgetState | None:
    """The figures of a run's budget; None without one."""
    total, deadline = run.spec.budget_s, run.deadline
    if total is None or deadline is None:
        return None
    left = _until(deadline, now) if run.ended_at is None else deadline.wall - run.ended_at
    return BudgetState(total, deadline.wall, min(total, max(0.0, left)), run.spec.reserve_s)


def _until(deadline: Deadline, now: Moment) -> float:
    if deadline.boot_id == now.boot_id:
        return deadline.boottime - now.boottime
    return deadline.wall - now.wall


def _lead(spec: RunSpec, stage: Stage) -> float:
    return spec.grace_s + spec.reserve_s if stage is Stage.TRAINING else 0.0
