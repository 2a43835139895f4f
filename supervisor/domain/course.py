"""The course of a run: what an attempt's end was, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.domain.budget import TimeLeft
from supervisor.domain.run import Attempt, AttemptOutcome, Reason, RunSpec, Stage
from supervisor.domain.sizing import SizingKind, Trial, after_out_of_memory


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process ended. Both None: nobody was there to see, so it is unknown and never invented.

    `asked` says that it was told to stop before it ended.
    """

    code: int | None
    signal: int | None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Relaunch:
    """Another attempt; without `batch_size` with whatever the script holds now."""

    batch_size: int | None
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class StartFollowUp:
    why: str


@dataclass(frozen=True, slots=True)
class End:
    reason: Reason
    detail: str | None = None


Step = Relaunch | StartFollowUp | End

_COMPLETED = "training has completed"
_CUT = "training was stopped to keep the budget"
_PROBLEMS_SHOWN = 3


def classify(end: ProcessEnd, attempt: Attempt) -> tuple[AttemptOutcome, Reason]:
    """An attempt's outcome, by what was intended for it and then by how it ended.

    An end that came by itself counts as what it is, even when a stop had just been decided.
    """
    intent = attempt.intent
    if intent is not None and end.asked:
        outcome = AttemptOutcome.SUPERSEDED if intent.supersedes else AttemptOutcome.STOPPED
        return outcome, intent.reason
    if end.code == 0:
        return AttemptOutcome.COMPLETED, Reason.COMPLETED
    if end.code is None and end.signal is None:
        return AttemptOutcome.LOST, Reason.SHIM_GONE
    if attempt.out_of_memory:
        return AttemptOutcome.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY
    return AttemptOutcome.FAILED, Reason.EXIT_CODE if end.signal is None else Reason.SIGNAL


def after_attempt(
    spec: RunSpec,
    attempt: Attempt,
    trials: Sequence[Trial],
    *,
    stop_requested: bool,
    unkillable: bool = False,
    left: TimeLeft = TimeLeft.TRAINING,
    training_completed: bool = True,
) -> Step:
    """What to do once `attempt` has ended. `trials` are the training attempts so far, this one included.

    `left` is what the budget has time for; `training_completed` says of a follow-up that training before it
    came to its own end.

    A stop that was asked for ends the run whatever the attempt's own intent was; an attempt that had come
    to its own end before keeps it. So does an attempt that could not be killed for a time end the run:
    nobody waits for a relaunch hours later.
    """
    if attempt.stage is Stage.FOLLOW_UP:
        return _after_follow_up(attempt, stop_requested=stop_requested, training_completed=training_completed)
    step = _after_training(spec, attempt, trials, stop_requested=stop_requested, left=left)
    if unkillable and not isinstance(step, End):
        return End(Reason.UNKILLABLE, "an attempt could not be killed in time; submit the run again")
    return step


def with_artifacts(spec: RunSpec, end: End, problems: Sequence[str]) -> End:
    """A success once its artifacts have been looked at: `problems` has a sentence for each bad one."""
    if not problems:
        return end
    shown = "; ".join(problems[:_PROBLEMS_SHOWN])
    more = len(problems) - _PROBLEMS_SHOWN
    detail = f"{shown}; and {more} more" if more > 0 else shown
    if end.reason is Reason.BUDGET_EXHAUSTED and spec.follow_up is None:
        return End(Reason.OUT_OF_TIME, f"{end.detail}; {detail}")
    return End(Reason.ARTIFACT_MISSING, detail)


def _after_training(
    spec: RunSpec, attempt: Attempt, trials: Sequence[Trial], *, stop_requested: bool, left: TimeLeft
) -> Step:
    outcome, reason = attempt.outcome, attempt.reason or Reason.COMPLETED
    if outcome is AttemptOutcome.COMPLETED:
        wanted = spec.follow_up is not None and not stop_requested
        return _to_follow_up(left, _COMPLETED) if wanted else End(Reason.COMPLETED)
    if stop_requested and outcome not in {AttemptOutcome.FAILED, AttemptOutcome.LOST}:
        return End(Reason.USER_REQUEST)
    cut = outcome is AttemptOutcome.STOPPED and reason is Reason.BUDGET_EXHAUSTED
    if cut or (outcome is AttemptOutcome.SUPERSEDED and left is not TimeLeft.TRAINING):
        return _after_cut(spec, left)
    if outcome is AttemptOutcome.SUPERSEDED and attempt.intent and attempt.intent.supersedes:
        size = attempt.intent.batch_size
        return Relaunch(
            size, reason, f"relaunched with {size if size is not None else 'the script as it is'}"
        )
    if outcome is AttemptOutcome.OUT_OF_MEMORY and trials and spec.sizing.policy is not SizingKind.OFF:
        return _after_out_of_memory(trials, left)
    return End(reason, _detail(attempt))


def _after_out_of_memory(trials: Sequence[Trial], left: TimeLeft) -> Step:
    back = after_out_of_memory(trials)
    if back.batch_size is None:
        return End(Reason.OUT_OF_MEMORY, back.why)
    if left is not TimeLeft.TRAINING:
        return End(Reason.OUT_OF_MEMORY, f"{back.why}; the budget leaves no time for that")
    return Relaunch(back.batch_size, Reason.OUT_OF_MEMORY, back.why)


def _after_cut(spec: RunSpec, left: TimeLeft) -> Step:
    """Training was stopped to keep the budget: its partial models are what the follow-up is for."""
    if spec.follow_up is None:
        asked = bool(spec.artifacts)
        return End(Reason.BUDGET_EXHAUSTED if asked else Reason.OUT_OF_TIME, _CUT)
    return _to_follow_up(left, _CUT)


def _to_follow_up(left: TimeLeft, why: str) -> Step:
    if left is TimeLeft.NOTHING:
        return End(Reason.OUT_OF_TIME, f"{why}; the budget leaves no time for the follow-up")
    return StartFollowUp(why)


def _after_follow_up(attempt: Attempt, *, stop_requested: bool, training_completed: bool) -> End:
    if attempt.outcome is AttemptOutcome.COMPLETED:
        return End(Reason.COMPLETED) if training_completed else End(Reason.BUDGET_EXHAUSTED, _CUT)
    if stop_requested:
        return End(Reason.USER_REQUEST)
    if attempt.outcome is AttemptOutcome.STOPPED and attempt.reason is Reason.BUDGET_EXHAUSTED:
        return End(Reason.OUT_OF_TIME, "the budget ended before the follow-up did")
    if attempt.outcome is AttemptOutcome.LOST:
        return End(attempt.reason or Reason.SHIM_GONE)
    return End(Reason.FOLLOW_UP_FAILED, f"the follow-up {_detail(attempt)}; its log says why")


def _detail(attempt: Attempt) -> str | None:
    if attempt.detail is not None:
        return attempt.detail
    if attempt.signal is not None:
        return f"ended by signal {attempt.signal}"
    if attempt.exit_code is not None:
        return f"ended with exit code {attempt.exit_code}"
    return None
