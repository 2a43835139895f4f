"""The API's calls as values: what to send and how to read the answer. Pure; transports carry them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from supervisor.client.errors import ApiError
from supervisor.client.models import (
    Attempt,
    BriefRun,
    Device,
    EventList,
    Health,
    Kind,
    Ready,
    ReportFormat,
    Restored,
    Review,
    Run,
    RunList,
    Sample,
    Stage,
    Submission,
    WaitFor,
)

READ_S = 30.0  # for any answer that does not wait
STREAM_WAITS_S = 30.0  # between two comments of a stream lie 15 s
LONGEST_STEP_S = 25.0  # one wait; many make a long one

_REFUSED = 400

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `headers` are looked up in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def _json(answer: Answer) -> Any:
    return json.loads(answer.content)


def _items(answer: Answer) -> Any:
    return json.loads(answer.content)["items"]


def _text(answer: Answer) -> str:
    return answer.content.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One call. `waits_s` is how long the daemon may wait before it answers.

    `repeatable`: sending it twice does no more than sending it once. `also` are statuses of 400 or more
    that carry an answer and no error.
    """

    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    waits_s: float = 0.0
    repeatable: bool = True
    also: frozenset[int] = frozenset()
    read: Callable[[Answer], T] = _json


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Bytes of a log from `offset`; `next` is where to read on, `size` how long the log is by now.

    The first `trimmed` bytes of the log are gone.
    """

    data: bytes
    offset: int
    next: int
    size: int
    trimmed: int = 0


def result(request: "Request[T]", answer: Answer) -> T:
    """What the answer says; raises `ApiError` for a refusal."""
    if answer.status >= _REFUSED and answer.status not in request.also:
        raise error_of(answer)
    return request.read(answer)


def error_of(answer: Answer) -> ApiError:
    """The refusal that an answer of 400 or more tells of, problem document or not."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {"detail": _text(answer).strip()[:200] or f"the daemon answered {answer.status}"}
    return ApiError(
        answer.status,
        str(body.get("code", "unknown")),
        str(body.get("detail", body)),
        retryable=bool(body.get("retryable", False)),
        problem=body,
    )


def submit(submission: Submission, idempotency_key: str) -> Request[Run]:
    return Request("POST", "/v1/runs", json=submission, headers={"Idempotency-Key": idempotency_key})


def runs(state: Sequence[str], limit: int, cursor: str | None) -> Request[RunList]:
    return Request("GET", "/v1/runs", params=_given(state=list(state) or None, limit=limit, cursor=cursor))


def get(run: str) -> Request[Run]:
    return Request("GET", _of(run))


def brief(run: str) -> Request[BriefRun]:
    return Request("GET", _of(run), params={"view": "brief"})


def wait(run: str, for_: WaitFor, timeout_s: float) -> Request[Run]:
    params = {"wait_for": for_, "timeout_s": timeout_s}
    return Request("GET", _of(run), params=params, waits_s=timeout_s)


def stop(run: str, grace_s: float | None, if_attempt: int | None) -> Request[Run]:
    return Request("POST", _of(run, "stop"), json=_given(grace_s=grace_s, if_attempt=if_attempt))


def relaunch(
    run: str, batch_size: int | None, reason: str | None, if_attempt: int | None, grace_s: float | None
) -> Request[Run]:
    body = _given(batch_size=batch_size, reason=reason, if_attempt=if_attempt, grace_s=grace_s)
    return Request("POST", _of(run, "relaunch"), json=body, repeatable=if_attempt is not None)


def restore(run: str, *, force: bool) -> Request[Restored]:
    return Request("POST", _of(run, "restore"), json={"force": True} if force else {})


def attempts(run: str) -> Request[list[Attempt]]:
    return Request("GET", _of(run, "attempts"), read=_items)


def attempt(run: str, number: int, stage: Stage) -> Request[Attempt]:
    return Request("GET", _of(run, "attempts", str(number)), params={"stage": stage})


def events(run: str, after: int, limit: int) -> Request[EventList]:
    return Request("GET", _of(run, "events"), params={"after": after, "limit": limit})


def samples(run: str, points: int | None, attempt: int | None) -> Request[list[Sample]]:
    return Request("GET", _of(run, "samples"), params=_given(points=points, attempt=attempt), read=_items)


def report(run: str, format_: ReportFormat) -> Request[Any]:
    accept = {"json": "application/json", "markdown": "text/markdown", "html": "text/html"}[format_]
    read = _json if format_ == "json" else _text
    return Request("GET", _of(run, "report"), headers={"Accept": accept}, read=read)


def review(script: str, cwd: str | None, kind: Kind | None) -> Request[Review]:
    return Request("POST", "/v1/reviews", json=_given(script=script, cwd=cwd, kind=kind))


def devices() -> Request[list[Device]]:
    return Request("GET", "/v1/devices", read=_items)


def status() -> Request[str]:
    return Request("GET", "/status", headers={"Accept": "text/plain"}, read=_text)


def health() -> Request[Health]:
    return Request("GET", "/healthz")


def ready() -> Request[Ready]:
    return Request("GET", "/readyz", also=frozenset({503}))


def log(
    run: str,
    *,
    attempt: int | None = None,
    stage: Stage | None = None,
    offset: int | None = None,
    limit: int | None = None,
    tail: int | None = None,
    grep: str | None = None,
    raw: bool = False,
) -> Request[LogChunk]:
    params = _given(attempt=attempt, stage=stage, offset=offset, limit=limit, tail=tail, grep=grep)
    return Request(
        "GET", _of(run, "log"), params=params | ({"raw": "true"} if raw else {}), read=_read_log_chunk
    )


def stream(run: str, what: str, last_id: str, params: Mapping[str, Any]) -> Request[None]:
    """A stream of server-sent events, from behind `last_id` where that is not empty."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    return cast(
        "Request[None]",
        Request("GET", _of(run, what), params=_given(**params), headers=headers, waits_s=STREAM_WAITS_S),
    )


def _read_log_chunk(answer: Answer) -> LogChunk:
    def number(name: str, default: int) -> int:
        return int(answer.headers.get(f"traind-log-{name}", default))

    offset = number("offset", 0)
    behind = number("next", offset + len(answer.content))
    return LogChunk(answer.content, offset, behind, number("size", behind), number("trimmed", 0))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _of(run: str, *parts: str) -> str:
    return "/".join(["/v1/runs", *(quote(part, safe="") for part in (run, *parts))])
