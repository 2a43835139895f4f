"""What happened, as typed records: one class an event, its fields the event's data.

An event's `type` is its stable name in the API and in the store. New types may be added; clients treat
those they do not know as opaque.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


class EventBody(Protocol):
    """What every event class has: a name, and fields that are plain JSON values."""

    type: ClassVar[str]
    __slots__: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered event of a run. `number` counts from 1 without gaps; `at` is Unix seconds."""

    number: int
    at: float
    type: str
    attempt: int | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunQueued:
    type: ClassVar[str] = "run_queued"
    script: str
    device: str | None


@dataclass(frozen=True, slots=True)
class ScriptReviewed:
    """What the review before launch found: errors and warnings, at most 50, each a finding's fields."""

    type: ClassVar[str] = "script_reviewed"
    passed: bool
    kind: str | None
    findings: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RunStarting:
    type: ClassVar[str] = "run_starting"
    device: str


@dataclass(frozen=True, slots=True)
class AttemptStarting:
    """Recorded before anything is launched: the intent."""

    type: ClassVar[str] = "attempt_starting"
    stage: str
    batch_size: int | None
    script: str
    why: str


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    type: ClassVar[str] = "attempt_started"
    stage: str
    pid: int


@dataclass(frozen=True, slots=True)
class AttemptAdopted:
    """A restarted daemon took up an attempt that went on without it."""

    type: ClassVar[str] = "attempt_adopted"
    stage: str
    pid: int


@dataclass(frozen=True, slots=True)
class ResourcesReported:
    """The script's own word on its set-up: whatever of it was printed."""

    type: ClassVar[str] = "resources_reported"
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MemoryReported:
    """The script printed a memory figure higher than any of this attempt before it. Bytes."""

    type: ClassVar[str] = "memory_reported"
    used: int
    total: int | None
    fraction: float | None
    unit: str
    contradiction: bool


@dataclass(frozen=True, slots=True)
class ProgressReported:
    type: ClassVar[str] = "progress"
    fold: int | None
    folds: int | None
    epoch: int | None
    epochs: int | None
    step: int | None
    steps: int | None
    loss: float | None
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class OutOfMemorySeen:
    type: ClassVar[str] = "out_of_memory_seen"
    line: str


@dataclass(frozen=True, slots=True)
class VerdictReached:
    """The checkpoint's conclusion; the fields are those of a verdict in the API."""

    type: ClassVar[str] = "verdict"
    verdict: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SupersedeDecided:
    """Recorded before the script is edited or anything is killed: the intent."""

    type: ClassVar[str] = "supersede_decided"
    reason: str
    batch_size: int
    next_batch_size: int
    why: str


@dataclass(frozen=True, slots=True)
class ScriptEdited:
    """`line` counts from 1; None where an argument was changed instead of the file."""

    type: ClassVar[str] = "script_edited"
    script: str
    line: int | None
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class EditRefused:
    """The script was left as it is and the run goes on."""

    type: ClassVar[str] = "edit_refused"
    reason: str
    why: str
    candidates: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AttemptStopping:
    type: ClassVar[str] = "attempt_stopping"
    reason: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    type: ClassVar[str] = "attempt_ended"
    stage: str
    outcome: str
    reason: str
    exit_code: int | None
    signal: int | None
    log_size: int | None


@dataclass(frozen=True, slots=True)
class DeviceReleased:
    """After `waited_s` seconds nothing of the attempt was left on the device."""

    type: ClassVar[str] = "device_released"
    waited_s: float


@dataclass(frozen=True, slots=True)
class RunStopping:
    type: ClassVar[str] = "run_stopping"
    reason: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class RunEnded:
    type: ClassVar[str] = "run_ended"
    state: str
    reason: str
    exit_code: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should know that stopped nothing. `code` is stable, `text` says what to do."""

    type: ClassVar[str] = "warning"
    code: str
    text: str


def data_of(body: EventBody) -> dict[str, Any]:
    """An event's fields as plain JSON values."""
    return {name: getattr(body, name) for name in body.__slots__}
