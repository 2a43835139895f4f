"""When a request to a run is refused, and in which words. Pure."""

from collections.abc import Sequence

from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunState, Stage

_QUEUED = "run {id} waits for a device and has launched nothing yet: wait until it runs, or stop it"
_STARTING = "run {id} is about to be launched: wait until it runs, then ask again"
_STOPPING = "run {id} is being stopped: wait for its end, then submit it again"
_RELAUNCHING = "attempt {n} of run {id} is being relaunched already: wait for attempt {next}, then ask again"
_BETWEEN = "run {id} is between two attempts: wait for the next one or the run's end, then ask again"
_FOLLOW_UP = "training of run {id} has completed and its follow-up runs: submit the run again instead"
_ENDED = "run {id} has ended ({state}): submit it again instead"


class RequestRefusedError(Exception):
    """A request that was not carried out; the run goes on untouched.

    `code` is stable: attempt_conflict, not_relaunchable, edit_refused, run_live, script_changed,
    snapshot_missing or daemon_stopping. The message says what to do; `candidates` are the places
    where a batch size may stand, with edit_refused alone.
    """

    def __init__(self, code: str, message: str, candidates: Sequence[dict[str, object]] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.candidates = list(candidates)


def attempt_conflict(run: Run, if_attempt: int | None) -> RequestRefusedError | None:
    """The refusal of a request that was meant for another attempt than the current one, or None."""
    if if_attempt is None or if_attempt == run.attempt:
        return None
    current = f"attempt {run.attempt} is current" if run.attempt else "no attempt was launched yet"
    return RequestRefusedError(
        "attempt_conflict",
        f"run {run.id}: {current}, and the request is for attempt {if_attempt}; "
        f"look at the run, and send if_attempt={run.attempt} if you still want it",
    )


def relaunch_refusal(run: Run, attempt: Attempt | None, if_attempt: int | None) -> RequestRefusedError | None:
    """Why a relaunch cannot be made now, or None. `attempt` is the newest of either stage."""
    if run.state.ended:
        return _not_relaunchable(_ENDED, run)
    conflict = attempt_conflict(run, if_attempt)
    if conflict is not None:
        return conflict
    by_state = {
        RunState.QUEUED: _QUEUED,
        RunState.STARTING: _STARTING,
        RunState.STOPPING: _STOPPING,
    }
    if run.state in by_state:
        return _not_relaunchable(by_state[run.state], run)
    if attempt is None or attempt.outcome is not AttemptOutcome.RUNNING:
        return between_attempts(run)
    if attempt.stage is Stage.FOLLOW_UP:
        return _not_relaunchable(_FOLLOW_UP, run)
    if attempt.intent is not None:
        return _not_relaunchable(_RELAUNCHING if attempt.intent.supersedes else _STOPPING, run)
    return None


def between_attempts(run: Run) -> RequestRefusedError:
    """The refusal of a relaunch that came when its attempt had just ended."""
    return _not_relaunchable(_BETWEEN, run)


def daemon_stopping() -> RequestRefusedError:
    return RequestRefusedError(
        "daemon_stopping", "the daemon is going down and the request is not on record: ask the next one"
    )


def _not_relaunchable(text: str, run: Run) -> RequestRefusedError:
    words = text.format(id=run.id, n=run.attempt, next=run.attempt + 1, state=run.state)
    return RequestRefusedError("not_relaunchable", words)
