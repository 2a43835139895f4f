"""The API's JSON, typed. Nothing is converted: times are RFC 3339 strings, sizes bytes, durations seconds.

Phases, reasons and kinds may grow: treat values that you do not know as opaque.
"""

from typing import Any, Literal, NotRequired, TypedDict

WaitFor = Literal["checkpoint", "running", "finished"]
Stage = Literal["training", "follow_up"]
ReportFormat = Literal["json", "markdown", "html"]
Kind = Literal["image", "tabular", "text"]
ReviewMode = Literal["off", "warn", "enforce"]


class Memory(TypedDict):
    reported: int | None
    measured: int | None
    total: int | None
    fraction: float | None
    attribution: str | None


class Progress(TypedDict):
    fold: int | None
    folds: int | None
    epoch: int | None
    epochs: int | None
    step: int | None
    loss: float | None


class Verdict(TypedDict):
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
    at: str


class Next(TypedDict):
    """What the caller had best do now, and in how many seconds."""

    do: str
    url: str
    in_s: float


class Wait(TypedDict):
    """How a wait ended: `reached`, `timeout`, `ended`, `stopping`; `next` is the call to make then."""

    outcome: Literal["reached", "timeout", "ended", "stopping"]
    next: str


class Budget(TypedDict):
    total_s: float
    deadline: str
    remaining_s: float
    reserve_s: float


class Run(TypedDict):
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
    memory: Memory | None
    utilization: float | None
    progress: Progress | None
    eta_s: float | None
    budget: Budget | None
    verdict: Verdict | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    exit_code: int | None
    next: Next
    links: dict[str, str]
    wait: Wait | None


class BriefRun(TypedDict):
    """A run in 400 bytes: `verdict` is the kind, `wait` the outcome, `next` the URL."""

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


class RunList(TypedDict):
    items: list[Run]
    next_cursor: str | None


class Attempt(TypedDict):
    stage: str
    number: int
    batch_size: int | None
    outcome: str
    reason: str | None
    detail: str | None
    pid: int | None
    started_at: str | None
    ended_at: str | None
    exit_code: int | None
    signal: int | None
    peak_memory: int | None
    peak_utilization: float | None
    verdict: Verdict | None


class Event(TypedDict):
    number: int
    at: str
    type: str
    attempt: int | None
    data: dict[str, Any]


class EventList(TypedDict):
    items: list[Event]
    next_cursor: str | None
    next_after: int


class Sample(TypedDict):
    """A device's memory in bytes at one moment: the run's own, that of others, all there is."""

    at: str
    attempt: int
    used: int | None
    others: int | None
    total: int | None
    fraction: float | None
    utilization: float | None


class DeviceProcess(TypedDict):
    pid: int
    used: int | None
    run: str | None


class Device(TypedDict):
    id: str
    kind: str
    name: str
    uuid: str | None
    total: int
    used: int | None
    utilization: float | None
    holders: list[str]
    processes: list[DeviceProcess] | None


class Finding(TypedDict):
    rule: str
    severity: str
    line: int | None
    found: str
    expected: str
    fix: str
    why: str
    column: int | None
    end_line: int | None
    end_column: int | None


class Review(TypedDict):
    """`passed` is false where a finding is an `error`; `kind` is null where it is not clear."""

    script: str
    passed: bool
    kind: str | None
    kind_evidence: list[str]
    batch_size: int | None
    findings: list[Finding]


class Health(TypedDict):
    status: str


class Ready(TypedDict):
    """Whether the daemon does its work; `problems` says what does not."""

    status: str
    live: int
    problems: list[str]
    notices: list[str]


class Restored(TypedDict):
    script: str
    restored: bool
    digest: str
    why: str
    size_file: str | None


class Launch(TypedDict):
    """What was launched; in `args` and `env`, values whose names speak of secrets are masked."""

    script: str
    args: list[str]
    cwd: str
    python: str
    env: dict[str, str]


class AttemptReport(TypedDict):
    """One attempt in figures."""

    stage: str
    number: int
    batch_size: int | None
    peak: int | None
    fraction: float | None
    mean_utilization: float | None
    peak_utilization: float | None
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    cpu_s: float | None
    outcome: str
    reason: str | None
    exit_code: int | None
    signal: int | None
    verdict: str | None
    why: str | None


class ArtifactReport(TypedDict):
    """A file that the run was to leave: `problem` is a sentence, `size` in bytes, `rows` of a table."""

    path: str
    ok: bool
    problem: str | None
    size: int | None
    rows: int | None


class Advice(TypedDict):
    """A piece of advice and the figures that it rests on."""

    code: str
    text: str
    figures: dict[str, Any]


class Report(TypedDict):
    """A run as it went; `partial` while it is not over."""

    id: str
    name: str | None
    state: str
    reason: str | None
    detail: str | None
    partial: bool
    made_at: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    launch: Launch
    budget: Budget | None
    attempts: list[AttemptReport]
    before: AttemptReport | None
    after: AttemptReport | None
    relaunches: int
    to_verdict_s: float | None
    to_corrected_s: float | None
    progress: Progress | None
    folds_done: int | None
    artifacts: list[ArtifactReport]
    advice: list[Advice]


class Problem(TypedDict):
    """An error document (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    retryable: bool
    errors: NotRequired[list[dict[str, str]]]
    candidates: NotRequired[list[dict[str, Any]]]
    findings: NotRequired[list[dict[str, Any]]]


class FollowUp(TypedDict):
    script: str
    args: NotRequired[list[str]]


class Artifact(TypedDict):
    """A file that the run must leave behind; `like` is a sample of the same header and rows."""

    path: str
    like: NotRequired[str]


class Checkpoint(TypedDict, total=False):
    after_s: float
    min_fraction: float
    max_fraction: float
    tolerance: float
    retry_s: float
    max_wait_s: float
    window_s: float
    settle_s: float


class Sizing(TypedDict, total=False):
    policy: str
    max_relaunches: int
    max_batch_size: int
    max_fraction: float
    target_fraction: float
    edit: str


class Submission(TypedDict, total=False):
    """A run as it is asked for; `script` is an absolute path, or relative to `cwd`, and required."""

    script: str
    args: list[str]
    cwd: str
    env: dict[str, str]
    python: str
    name: str
    kind: Kind
    devices: list[str]
    checkpoint: Checkpoint
    sizing: Sizing
    budget_s: float
    grace_s: float
    reserve_s: float
    follow_up: FollowUp
    artifacts: list[Artifact]
    review: ReviewMode
    batch_size_at: int
