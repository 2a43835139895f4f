"""A run's log as bytes, by offset or from the end, and as a stream that goes on from any offset."""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from supervisor.api.auth import require_token
from supervisor.api.dependencies import EngineHere, RunHere
from supervisor.api.problems import ProblemError
from supervisor.api.streams import KEEPALIVE_S, STREAM_HEADERS, with_keepalive
from supervisor.domain.run import AttemptOutcome, Run, Stage
from supervisor.engine.engine import Engine
from supervisor.process.logfile import LogFollower, log_size, read_range

router = APIRouter(prefix="/v1/runs", tags=["log"], dependencies=[Depends(require_token)])

_DEFAULT_BYTES = 16 * 1024  # what an agent can read without losing its context
_MOST_BYTES = 1024 * 1024


@router.get("/{reference}/log", operation_id="read_log", response_class=Response)
async def read_log(
    run: RunHere,
    engine: EngineHere,
    attempt: Annotated[int | None, Query(ge=1)] = None,
    stage: Stage = Stage.TRAINING,
    *,
    offset: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_BYTES)] = _DEFAULT_BYTES,
    raw: bool = False,
    follow: bool = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Bytes of the log from `offset`, by default its end; frames of progress bars collapsed unless `raw`.

    With `follow` a stream of server-sent events until the attempt's end: `data` is a JSON string, `id`
    the offset behind it, and the last event tells the state and the exit code.
    """
    number = await _number(engine, run, attempt, stage)
    path = engine.log_path(run.id, stage, number)
    size = await asyncio.to_thread(log_size, path)
    start = max(0, size - limit) if offset is None else offset
    if last_event_id and last_event_id.isdecimal():
        start = int(last_event_id)
    if start > size:
        detail = f"offset {start} lies past the end; the log has {size} bytes"
        raise ProblemError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "offset_past_end", detail)
    if follow:
        stream = with_keepalive(_stream(engine, run.id, (stage, number), path, start), KEEPALIVE_S)
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)
    data = await asyncio.to_thread(read_range, path, start, limit)
    headers = {
        "Traind-Log-Offset": str(start),
        "Traind-Log-Next": str(start + len(data)),
        "Traind-Log-Size": str(size),
    }
    body = data if raw else collapse_frames(data)
    return Response(body, media_type="text/plain; charset=utf-8", headers=headers)


def collapse_frames(data: bytes) -> bytes:
    """Of the frames that `\\r` draws over each other, the last one of each line."""
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in data.split(b"\n"))


async def _number(engine: Engine, run: Run, attempt: int | None, stage: Stage) -> int:
    if attempt is None:
        return 1 if stage is Stage.FOLLOW_UP else max(1, run.attempt)
    known = {(item.stage, item.number) for item in await engine.attempts(run.id)}
    if (stage, attempt) not in known:
        detail = f"run {run.id} has no {stage} attempt {attempt}; GET /v1/runs/{run.id}/attempts lists them"
        raise ProblemError(HTTPStatus.NOT_FOUND, "attempt_not_found", detail)
    return attempt


async def _stream(
    engine: Engine, run_id: str, which: tuple[Stage, int], path: Path, offset: int
) -> AsyncIterator[bytes]:
    follower = LogFollower(engine.services.inotify, path, offset)
    ending = asyncio.create_task(_finish_at_end(engine, run_id, which, follower))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        async for start, chunk in follower:
            text = decoder.decode(chunk)
            # Half a character at the end of a chunk belongs to the next event, and so does its offset.
            pending = len(decoder.getstate()[0])
            yield format_sse_event(
                data_str=json.dumps(text), event="log", id=str(start + len(chunk) - pending)
            )
        run = await engine.find(run_id)
        last = {"state": run.state, "exit_code": run.exit_code, "next": follower.offset}
        yield format_sse_event(data_str=json.dumps(last), event="end", id=str(follower.offset))
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        follower.close()


async def _finish_at_end(
    engine: Engine, run_id: str, which: tuple[Stage, int], follower: LogFollower
) -> None:
    """Tell the follower once the attempt has ended, or the daemon does."""
    while True:
        version = engine.hub.version(run_id)
        attempts = await engine.attempts(run_id)
        open_ = any(
            (item.stage, item.number) == which and item.outcome is AttemptOutcome.RUNNING for item in attempts
        )
        run = await engine.find(run_id)
        known = any((item.stage, item.number) == which for item in attempts)
        if engine.hub.closing.is_set() or run.state.ended or (known and not open_):
            follower.finish(None)
            return
        await engine.hub.wait_beyond(run_id, version, KEEPALIVE_S)
