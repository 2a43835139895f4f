"""What a run and its attempts are, their states, and the one table of legal changes.

Few states, many reasons: states may not grow, phases and reasons may. Wall-clock times (`…_at`) are
Unix seconds and for people; no rule reads them, but for the artifacts' age and a deadline after a reboot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from supervisor.domain.checkpoint import CheckpointPolicy, Verdict
from supervisor.domain.progress import Observed
from supervisor.domain.review import Kind, ReviewMode
from supervisor.domain.sizing import SizePlace, SizingPolicy


class RunState(StrEnum):
    QUEUED = "queued"  # set at submission; waits for a device
    STARTING = "starting"  # device granted, launch recorded; the script does not run yet
    RUNNING = "running"  # an attempt is alive, or between two attempts
    STOPPING = "stopping"  # a stop was asked for and recorded; the tree may still live
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"  # what became of it cannot be known

    @property
    def ended(self) -> bool:
        return self in _ENDS


_ENDS = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.LOST})


class Phase(StrEnum):
    """What a live run is doing. Clients treat values they do not know as opaque."""

    WARMING_UP = "warming_up"  # until the checkpoint's verdict
    TRAINING = "training"
    RELAUNCHING = "relaunching"
    FOLLOW_UP = "follow_up"


class Reason(StrEnum):
    """Why a run or an attempt is where it is. Clients treat values they do not know as opaque."""

    COMPLETED = "completed"  # the script ended with exit code 0
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out_of_memory"
    UNDERUSED_MEMORY = "underused_memory"
    USER_REQUEST = "user_request"
    SCRIPT_CHANGED = "script_changed"
    SPAWN_FAILED = "spawn_failed"
    FOLLOW_UP_FAILED = "follow_up_failed"
    DEVICE_UNAVAILABLE = "device_unavailable"
    UNKILLABLE = "unkillable"
    INTERNAL_ERROR = "internal_error"
    SHIM_GONE = "shim_gone"
    HOST_REBOOTED = "host_rebooted"
    BUDGET_EXHAUSTED = "budget_exhausted"  # training was cut to keep the budget; what was asked for is there
    OUT_OF_TIME = "out_of_time"  # the budget is over, and what was asked for is not there
    ARTIFACT_MISSING = "artifact_missing"


_END_OF_REASON = {
    Reason.COMPLETED: RunState.SUCCEEDED,
    Reason.EXIT_CODE: RunState.FAILED,
    Reason.SIGNAL: RunState.FAILED,
    Reason.OUT_OF_MEMORY: RunState.FAILED,
    # An attempt's reason; a run ends with it only when its relaunch could not be made.
    Reason.UNDERUSED_MEMORY: RunState.FAILED,
    Reason.USER_REQUEST: RunState.STOPPED,
    Reason.SCRIPT_CHANGED: RunState.FAILED,
    Reason.SPAWN_FAILED: RunState.FAILED,
    Reason.FOLLOW_UP_FAILED: RunState.FAILED,
    Reason.DEVICE_UNAVAILABLE: RunState.FAILED,
    Reason.UNKILLABLE: RunState.FAILED,
    Reason.INTERNAL_ERROR: RunState.LOST,
    Reason.SHIM_GONE: RunState.LOST,
    Reason.HOST_REBOOTED: RunState.LOST,
    Reason.BUDGET_EXHAUSTED: RunState.SUCCEEDED,
    Reason.OUT_OF_TIME: RunState.FAILED,
    Reason.ARTIFACT_MISSING: RunState.FAILED,
}


def end_state(reason: Reason) -> RunState:
    """The state in which a run with this reason ends. Total over `Reason`."""
    return _END_OF_REASON[reason]


_LEGAL = {
    RunState.QUEUED: {RunState.STARTING, RunState.STOPPED, RunState.FAILED},
    RunState.STARTING: {
        RunState.RUNNING,
        RunState.STOPPING,
        RunState.STOPPED,
        RunState.FAILED,
        RunState.LOST,
    },
    RunState.RUNNING: {RunState.STOPPING, RunState.SUCCEEDED, RunState.FAILED, RunState.LOST},
    RunState.STOPPING: {RunState.STOPPED, RunState.SUCCEEDED, RunState.FAILED, RunState.LOST},
    RunState.SUCCEEDED: set[RunState](),
    RunState.FAILED: set[RunState](),
    RunState.STOPPED: set[RunState](),
    RunState.LOST: set[RunState](),
}


class IllegalTransitionError(Exception):
    """A change of state that the table does not know."""


class Stage(StrEnum):
    """Which of the run's two scripts an attempt launches."""

    TRAINING = "training"
    FOLLOW_UP = "follow_up"


class AttemptOutcome(StrEnum):
    RUNNING = "running"
    SUPERSEDED = "superseded"  # killed so that the next attempt may follow
    COMPLETED = "completed"
    FAILED = "failed"
    OUT_OF_MEMORY = "out_of_memory"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The script that runs after training; `script` is an absolute path."""

    script: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run must leave behind; `like` is a sample with its header and number of rows."""

    path: str
    like: str | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a budget: boot-time seconds under `boot_id`, and `wall` in Unix seconds for people.

    After a reboot the boot-time clock has begun anew: then `wall` is what counts.
    """

    boottime: float
    boot_id: str
    wall: float


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A submission with every default filled in. Paths are absolute.

    `budget_s` is the time that the run may take from submission, `reserve_s` what of it training must leave.
    `batch_size_at` is the number that the caller chose as the batch size, None where the search decides.
    """

    script: str
    cwd: str
    python: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    device: str | None = None
    checkpoint: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    sizing: SizingPolicy = field(default_factory=SizingPolicy)
    grace_s: float = 10.0
    follow_up: FollowUp | None = None
    kind: Kind | None = None
    review: ReviewMode = ReviewMode.WARN
    budget_s: float | None = None
    reserve_s: float = 0.0
    artifacts: tuple[Artifact, ...] = ()
    batch_size_at: SizePlace | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What was decided about a live attempt, recorded before it is acted on.

    A restarted daemon reads it and goes on from there: with `batch_size` the attempt is superseded by
    one of that size, with `relaunch` by the one that a caller asked for, with neither it is stopped for
    good. `edited` holds the digests before and after the edit of the script, or of `file` where the size
    stands in another one, so that an edit half done can be told from one never begun.
    """

    reason: Reason
    grace_s: float
    batch_size: int | None = None
    args: tuple[str, ...] | None = None
    edited: tuple[str, str] | None = None
    relaunch: bool = False
    file: str | None = None

    @property
    def supersedes(self) -> bool:
        """Whether another attempt follows."""
        return self.relaunch or self.batch_size is not None


@dataclass(frozen=True, slots=True)
class SizeFile:
    """The file beside the script that held the batch size at launch: absolute path and SHA-256."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One launch of a script. `baseline` is the device's use before launch, `peak` the run's highest, bytes.

    `cpu_s` is the processor time of its first process and of those that it waited for, known at the end.

    `started_boottime` is in seconds of the boot-time clock and means nothing under another `boot_id`.
    `log_offset` is how far the log was read and recorded, `log_trimmed` how many bytes of its start are
    gone from the disk, `out_of_memory` whether it told of running out. `size_file` is None where the size
    stands in the script or in an argument.
    """

    stage: Stage
    number: int
    batch_size: int | None
    args: tuple[str, ...]
    outcome: AttemptOutcome = AttemptOutcome.RUNNING
    reason: Reason | None = None
    detail: str | None = None
    pid: int | None = None
    boot_id: str | None = None
    started_boottime: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    script_digest: str | None = None
    baseline: int | None = None
    peak: int | None = None
    peak_utilization: float | None = None
    cpu_s: float | None = None
    log_offset: int = 0
    log_trimmed: int = 0
    out_of_memory: bool = False
    verdict: Verdict | None = None
    intent: Intent | None = None
    size_file: SizeFile | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One training job from submission to its end. `attempt` is the current training attempt, 0 before."""

    id: str
    spec: RunSpec
    created_at: float
    state: RunState = RunState.QUEUED
    phase: Phase | None = None
    reason: Reason | None = None
    detail: str | None = None
    device_id: str | None = None
    attempt: int = 0
    batch_size: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    stop_requested: bool = False
    observed: Observed = field(default_factory=Observed)
    verdict: Verdict | None = None
    deadline: Deadline | None = None


def transition(
    run: Run, to: RunState, *, at: float, reason: Reason | None = None, detail: str | None = None
) -> Run:
    """The run in its new state. Raises `IllegalTransitionError` for a change that is not in the table.

    `at` is wall-clock Unix seconds; an end state clears the phase and sets `ended_at`.
    """
    if to not in _LEGAL[run.state]:
        raise IllegalTransitionError(f"run {run.id} cannot go from {run.state} to {to}")
    changed = replace(run, state=to, reason=reason, detail=detail)
    if to.ended:
        return replace(changed, phase=None, ended_at=at)
    if to is RunState.RUNNING and run.started_at is None:
        return replace(changed, started_at=at)
    return changed


def finish(run: Run, reason: Reason, *, at: float, detail: str | None = None) -> Run:
    """The run ended for `reason`, in the state that `end_state` gives."""
    return transition(run, end_state(reason), at=at, reason=reason, detail=detail)
