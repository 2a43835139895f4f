"""A run's log: bytes by offset, its end, its last lines or those that match; or a stream from any offset."""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.sse import format_sse_event

from supervisor.api.attempts import find_attempt
from supervisor.api.dependencies import LARGEST_INT, EngineHere, HeldHere, RunHere
from supervisor.api.logtext import (
    PatternError,
    Piece,
    collapse_frames,
    compile_pattern,
    from_line_start,
    last_lines,
    matching,
)
from supervisor.api.problems import ProblemError, contradiction
from supervisor.api.streams import KEEPALIVE_S, STREAM_CONTENT, LastEventId, event_stream, resumed_at
from supervisor.domain.run import Attempt, AttemptOutcome, Run, Stage
from supervisor.engine.engine import Engine
from supervisor.process.logfile import LogFollower, log_size, read_range

router = APIRouter(prefix="/v1/runs", tags=["log"])

_DEFAULT_BYTES = 16 * 1024  # what an agent can read without losing its context
_MOST_BYTES = 1024 * 1024
_MOST_LINES = 10_000
_SEARCHED_BYTES = 8 * 1024 * 1024  # of one request with grep


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which part of a log is asked for."""

    offset: int | None
    limit: int | None
    tail: int | None
    grep: str | None
    raw: bool


async def _query(
    offset: Annotated[int | None, Query(ge=0, le=LARGEST_INT, description="first byte")] = None,
    limit: Annotated[int | None, Query(ge=1, le=_MOST_BYTES, description="16384 by default")] = None,
    tail: Annotated[int | None, Query(ge=1, le=_MOST_LINES, description="so many last lines")] = None,
    grep: Annotated[
        str | None, Query(min_length=1, max_length=1000, description="an RE2 pattern: only lines that match")
    ] = None,
    *,
    raw: Annotated[bool, Query(description="the exact bytes, frames of progress bars and all")] = False,
) -> LogQuery:
    return LogQuery(offset, limit, tail, grep, raw)


@router.get(
    "/{reference}/log",
    operation_id="read_log",
    response_class=Response,
    responses={
        200: {
            "description": "The bytes, and where they stand in the log; a stream with `follow`",
            "headers": {
                "Traind-Log-Offset": {
                    "description": "offset of the first byte",
                    "schema": {"type": "integer"},
                },
                "Traind-Log-Next": {"description": "where to read on", "schema": {"type": "integer"}},
                "Traind-Log-Size": {"description": "bytes in all", "schema": {"type": "integer"}},
                "Traind-Log-Attempt": {"description": "whose log it is", "schema": {"type": "integer"}},
            },
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": "Fold 1/5, Epoch 5/10, Loss: 0.542\n",
                },
                **STREAM_CONTENT,
            },
        }
    },
)
async def read_log(
    run: RunHere,
    engine: EngineHere,
    held: HeldHere,
    query: Annotated[LogQuery, Depends(_query)],
    *,
    attempt: Annotated[int | None, Query(ge=1, le=LARGEST_INT, description="the newest by default")] = None,
    stage: Stage = Stage.TRAINING,
    follow: Annotated[bool, Query(description="go on as server-sent events until the attempt's end")] = False,
    last_event_id: LastEventId = None,
) -> Response:
    """The end of the log, its bytes from `offset`, its last lines (`tail`) or those that match (`grep`).

    Frames of progress bars are collapsed unless `raw`. With `follow` a stream of server-sent events until
    the attempt's end: `data` of a `log` event is a JSON string and `id` the byte offset behind it; the last
    event is `end` and tells the state, the exit code and the next offset.
    """
    _refuse_contradictions(query, follow=follow)
    number = await _number(engine, run, attempt, stage)
    path = engine.log_path(run.id, stage, number)
    size = await asyncio.to_thread(log_size, path)
    if follow:
        start = resumed_at(last_event_id, _start(query, size))
        _refuse_past_end(start, size)
        return event_stream(held, _stream(engine, run.id, (stage, number), path, start))
    _refuse_past_end(query.offset or 0, size)
    piece = await asyncio.to_thread(_read, path, size, query)
    headers = {
        "Traind-Log-Offset": str(piece.offset),
        "Traind-Log-Next": str(piece.end),
        "Traind-Log-Size": str(size),
        "Traind-Log-Attempt": str(number),
    }
    return Response(piece.text, headers=headers, media_type="text/plain; charset=utf-8")


def _refuse_contradictions(query: LogQuery, *, follow: bool) -> None:
    if query.tail is not None and query.offset is not None:
        raise contradiction("tail counts from the end and offset from the start; send one of them")
    if query.raw and query.grep is not None:
        raise contradiction("grep shows lines and raw the exact bytes; send one of them")
    if follow and (query.tail is not None or query.grep is not None):
        raise contradiction("follow takes every line from an offset on; send it without tail and grep")


def _refuse_past_end(start: int, size: int) -> None:
    if start > size:
        detail = f"offset {start} lies past the end; the log has {size} bytes now: send at most that"
        raise ProblemError(HTTPStatus.CONFLICT, "offset_past_end", detail)


def _start(query: LogQuery, size: int) -> int:
    if query.offset is not None:
        return query.offset
    return max(0, size - (query.limit or _DEFAULT_BYTES))


def _read(path: Path, size: int, query: LogQuery) -> Piece:
    """The part that is asked for; raises `ProblemError` for a pattern that cannot be used."""
    if query.grep is not None:
        return _search(path, size, query, query.grep)
    limit = query.limit or (_DEFAULT_BYTES if query.tail is None else _MOST_BYTES)
    start = query.offset if query.offset is not None else max(0, size - limit)
    data = read_range(path, start, limit)
    if query.tail is not None:
        piece = last_lines(data, start, query.tail)
    elif query.offset is None and not query.raw:
        piece = from_line_start(data, start)
    else:
        piece = Piece(start, start + len(data), data)
    return piece if query.raw else Piece(piece.offset, piece.end, collapse_frames(piece.text))


def _search(path: Path, size: int, query: LogQuery, grep: str) -> Piece:
    try:
        pattern = compile_pattern(grep)
    except PatternError as error:
        detail = f"grep is not an RE2 pattern: {error}; escape what is meant literally"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_pattern", detail) from error
    start = query.offset if query.offset is not None else max(0, size - _SEARCHED_BYTES)
    data = read_range(path, start, _SEARCHED_BYTES)
    newest = query.offset is None
    piece = matching(data, start, pattern, query.limit or _DEFAULT_BYTES, newest=newest)
    return piece if query.tail is None else replace(piece, text=last_lines(piece.text, 0, query.tail).text)


async def _number(engine: Engine, run: Run, attempt: int | None, stage: Stage) -> int:
    if attempt is None:
        return 1 if stage is Stage.FOLLOW_UP else max(1, run.attempt)
    return (await find_attempt(engine, run, stage, attempt)).number


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
        last = await _last_word(engine, run_id, which, follower.offset)
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
        attempt = await _attempt(engine, run_id, which)
        open_ = attempt is None or attempt.outcome is AttemptOutcome.RUNNING
        run = await engine.find(run_id)
        if engine.hub.closing.is_set() or run.state.ended or not open_:
            follower.finish(None)
            return
        # A stream may be older than its log; the start of the attempt is a change of the run.
        follower.look_for_file()
        await engine.hub.wait_beyond(run_id, version, KEEPALIVE_S)


async def _last_word(
    engine: Engine, run_id: str, which: tuple[Stage, int], offset: int
) -> dict[str, str | int | None]:
    run = await engine.find(run_id)
    attempt = await _attempt(engine, run_id, which)
    open_ = attempt is None or attempt.outcome is AttemptOutcome.RUNNING
    return {
        "reason": "stopping" if open_ and not run.state.ended else "ended",
        "state": run.state,
        "stage": which[0],
        "attempt": which[1],
        "outcome": attempt.outcome if attempt is not None else None,
        "exit_code": attempt.exit_code if attempt is not None else run.exit_code,
        "next": offset,
    }


async def _attempt(engine: Engine, run_id: str, which: tuple[Stage, int]) -> Attempt | None:
    attempts = await engine.attempts(run_id)
    return next((item for item in attempts if (item.stage, item.number) == which), None)
