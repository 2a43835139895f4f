"""What the API sends: sizes in bytes, fractions 0 to 1, durations in seconds, times RFC 3339 in UTC."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

RUN_EXAMPLE: dict[str, Any] = {
    "id": "1e3ee3df7b2d",
    "name": "baseline",
    "state": "running",
    "phase": "training",
    "reason": None,
    "detail": None,
    "script": "/data/train.py",
    "device": "gpu0",
    "batch_size": 128,
    "attempt": 2,
    "attempts": 2,
    "memory": {
        "reported": 18_300_000_000,
        "measured": 18_900_000_000,
        "total": 24_146_608_128,
        "fraction": 0.7827,
        "attribution": "process_tree",
    },
    "utilization": 0.91,
    "progress": {"fold": 2, "folds": 5, "epoch": 5, "epochs": 10, "step": None, "loss": 0.542},
    "eta_s": 412.0,
    "budget": {
        "total_s": 2100.0,
        "deadline": "2026-01-01T12:35:00Z",
        "remaining_s": 1733.2,
        "reserve_s": 60.0,
    },
    "verdict": {
        "kind": "good",
        "reported": 18_300_000_000,
        "measured": 18_900_000_000,
        "total": 24_146_608_128,
        "fraction": 0.7827,
        "attribution": "process_tree",
        "agreement": "agree",
        "decided_by": "measured",
        "contradiction": False,
        "next_batch_size": None,
        "why": "the run holds 17.60 GiB of 22.49 GiB (78%): well used",
        "at": "2026-01-01T12:05:10Z",
    },
    "created_at": "2026-01-01T12:00:00Z",
    "started_at": "2026-01-01T12:00:01Z",
    "ended_at": None,
    "exit_code": None,
    "next": {
        "do": "go on with other work, then wait for the end",
        "url": "/v1/runs/1e3ee3df7b2d?wait_for=finished",
        "in_s": 412.0,
    },
    "links": {"self": "/v1/runs/1e3ee3df7b2d", "log": "/v1/runs/1e3ee3df7b2d/log"},
    "wait": None,
}


class MemoryView(BaseModel):
    """The newest readings of the run's own use of its device."""

    reported: int | None
    measured: int | None
    total: int | None
    fraction: float | None
    attribution: str | None


class ProgressView(BaseModel):
    fold: int | None
    folds: int | None
    epoch: int | None
    epochs: int | None
    step: int | None
    loss: float | None


class VerdictView(BaseModel):
    """What the checkpoint concluded, with both readings."""

    kind: str
    reported: int | None
    measured: int | None
    total: int | None
    fraction: float | None
    attribution: str | None
    agreement: str | None
    decided_by: str | None
    contradiction: bool
    next_batch_size: int | None
    why: str
    at: datetime


class BudgetView(BaseModel):
    """The wall-clock time that the whole run may take, from its submission."""

    total_s: float
    deadline: datetime
    remaining_s: float
    reserve_s: float


class NextView(BaseModel):
    """What the caller had best do now, and in how many seconds."""

    do: str
    url: str
    in_s: float


class WaitView(BaseModel):
    """How a wait ended; `next` is the call to make then."""

    outcome: Literal["reached", "timeout", "ended", "stopping"]
    next: str


class RunView(BaseModel):
    """A run. Phases and reasons may grow: treat values that you do not know as opaque."""

    model_config = {"json_schema_extra": {"examples": [RUN_EXAMPLE]}}

    id: str
    name: str | None
    state: str
    phase: str | None
    reason: str | None
    detail: str | None
    script: str
    device: str | None
    batch_size: int | None
    attempt: int
    attempts: int
    memory: MemoryView | None
    utilization: float | None
    progress: ProgressView | None
    eta_s: float | None
    budget: BudgetView | None
    verdict: VerdictView | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    next: NextView
    links: dict[str, str]
    wait: WaitView | None = None


class BriefRunView(BaseModel):
    """A run in at most 400 bytes, for callers that look often. `verdict` is its kind, `next` a URL."""

    id: str
    name: str | None
    state: str
    phase: str | None
    reason: str | None
    attempt: int
    batch_size: int | None
    fraction: float | None
    verdict: str | None
    eta_s: float | None
    wait: str | None
    next: str


class AttemptView(BaseModel):
    """One launch of a script."""

    stage: str
    number: int
    batch_size: int | None
    outcome: str
    reason: str | None
    detail: str | None
    pid: int | None
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    peak_memory: int | None
    peak_utilization: float | None
    verdict: VerdictView | None


class EventView(BaseModel):
    """One numbered event. Types may grow: treat those that you do not know as opaque."""

    number: int
    at: datetime
    type: str
    attempt: int | None
    data: dict[str, Any]


class SampleView(BaseModel):
    """One look at the run's own use of its device; `others` is what everyone else holds of it."""

    at: datetime
    attempt: int
    used: int | None
    others: int | None
    total: int | None
    fraction: float | None
    utilization: float | None


class DeviceProcessView(BaseModel):
    """A process on a device, and the run that it belongs to, if any."""

    pid: int
    used: int | None
    run: str | None


class DeviceView(BaseModel):
    """A device; `holders` are the live runs on it, `processes` null where it lists none."""

    id: str
    kind: str
    name: str
    uuid: str | None
    total: int
    used: int | None
    utilization: float | None
    holders: list[str]
    processes: list[DeviceProcessView] | None


class RestoredView(BaseModel):
    """What became of the script: `restored` is false where it was the original already.

    `size_file` is the file beside it that held the batch size and was changed and restored, if there is one.
    """

    script: str
    restored: bool
    digest: str
    why: str
    size_file: str | None


class RunList(BaseModel):
    """Runs, newest first. `next_cursor` is what to send as `cursor` for the page behind this one."""

    items: list[RunView]
    next_cursor: str | None


class AttemptList(BaseModel):
    items: list[AttemptView]
    next_cursor: None = None


class EventList(BaseModel):
    """`next_after` is what to send as `after` later, for what has not happened yet."""

    items: list[EventView]
    next_cursor: str | None
    next_after: int


class SampleList(BaseModel):
    items: list[SampleView]
    next_cursor: None = None


class DeviceList(BaseModel):
    items: list[DeviceView]
    next_cursor: None = None
