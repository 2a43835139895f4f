"""A run's log: bytes by offset, its end, its last lines or those that match; or a stream from any offset."""

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Callable
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
from supervisor.process.logfile import LogFollower, find_log, log_size, read_range

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


@dataclass(frozen=True, slots=True)
class Log:
    """An attempt's log: its name, where it can be opened, who writes to it, its size in bytes now.

    `trimmed` says how many bytes of its start are gone, whenever it is called.
    """

    path: Path
    source: Path
    writer: int | None
    size: int
    trimmed: Callable[[], int]


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
                "Traind-Log-Trimmed": {
                    "description": "bytes from the log's start that are gone",
                    "schema": {"type": "integer"},
                },
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

    Frames of progress bars are collapsed unless `raw`. A log that outgrew its bound has lost its start: what
    is asked for from there begins where the log does. With `follow` a stream of server-sent events until
    the attempt's end: `data` of a `log` event is a JSON string and `id` the byte offset behind it; a
    `trimmed` event says `from` and `to` which offset bytes are gone; the last event is `end` and tells the
    state, the exit code and the next offset.
    """
    _refuse_contradictions(query, follow=follow)
    number = await _number(engine, run, attempt, stage)
    log = await _find(engine, run.id, (stage, number))
    if follow:
        start = resumed_at(last_event_id, _start(query, log.size))
        _refuse_past_end(start, log.size)
        return event_stream(held, _stream(engine, run.id, (stage, number), log, start))
    _refuse_past_end(query.offset or 0, log.size)
    piece, trimmed = await _read_untrimmed(log, query)
    headers = {
        "Traind-Log-Offset": str(piece.offset),
        "Traind-Log-Next": str(piece.end),
        "Traind-Log-Size": str(max(log.size, piece.end)),
        "Traind-Log-Trimmed": str(trimmed),
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


async def _read_untrimmed(log: Log, query: LogQuery) -> tuple[Piece, int]:
    """The part that is asked for, and how much of the log's start is gone; raises `ProblemError`."""
    while True:
        trimmed = log.trimmed()
        piece = await asyncio.to_thread(_read, log, trimmed, query)
        if log.trimmed() == trimmed:
            return piece, trimmed
        # What was trimmed meanwhile may have been read as zeros.


def _read(log: Log, trimmed: int, query: LogQuery) -> Piece:
    """The part that is asked for; raises `ProblemError` for a pattern that cannot be used."""
    if query.grep is not None:
        return _search(log, trimmed, query, query.grep)
    limit = query.limit or (_DEFAULT_BYTES if query.tail is None else _MOST_BYTES)
    start = max(trimmed, query.offset if query.offset is not None else log.size - limit)
    data = read_range(log.source, start, limit)
    if query.tail is not None:
        piece = last_lines(data, start, query.tail)
    elif query.offset is None and not query.raw:
        piece = from_line_start(data, start)
    else:
        piece = Piece(start, start + len(data), data)
    return piece if query.raw else Piece(piece.offset, piece.end, collapse_frames(piece.text))


def _search(log: Log, trimmed: int, query: LogQuery, grep: str) -> Piece:
    try:
        pattern = compile_pattern(grep)
    except PatternError as error:
        detail = f"grep is not an RE2 pattern: {error}; escape what is meant literally"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_pattern", detail) from error
    start = max(trimmed, query.offset if query.offset is not None else log.size - _SEARCHED_BYTES)
    data = read_range(log.source, start, _SEARCHED_BYTES)
    newest = query.offset is None
    piece = matching(data, start, pattern, query.limit or _DEFAULT_BYTES, newest=newest)
    return piece if query.tail is None else replace(piece, text=last_lines(piece.text, 0, query.tail).text)


async def _number(engine: Engine, run: Run, attempt: int | None, stage: Stage) -> int:
    if attempt is None:
        return 1 if stage is Stage.FOLLOW_UP else max(1, run.attempt)
    return (await find_attempt(engine, run, stage, attempt)).number


async def _find(engine: Engine, run_id: str, which: tuple[Stage, int]) -> Log:
    """The log as it is now; raises `ProblemError` where it is not there any more."""
    path = engine.log_path(run_id, *which)
    attempt = await _attempt(engine, run_id, which)
    live = attempt is not None and attempt.outcome is AttemptOutcome.RUNNING
    writer = attempt.pid if attempt is not None and live else None
    source, size = await asyncio.to_thread(_look, path, writer)
    if size is None and attempt is not None and attempt.pid is not None:
        detail = (
            f"{path} was removed or renamed by others; nothing brings it back: leave the logs of runs alone"
        )
        raise ProblemError(HTTPStatus.GONE, "log_gone", detail)
    return Log(path, source, writer, size or 0, await engine.log_trimmed(run_id, *which))


def _look(path: Path, writer: int | None) -> tuple[Path, int | None]:
    source = find_log(path, writer)
    return source, log_size(source) if source.exists() else None


async def _stream(
    engine: Engine, run_id: str, which: tuple[Stage, int], log: Log, offset: int
) -> AsyncIterator[bytes]:
    follower = LogFollower(engine.services.inotify, log.path, offset, writer=log.writer, trimmed=log.trimmed)
    ending = asyncio.create_task(_finish_at_end(engine, run_id, which, follower))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    position = offset
    try:
        async for start, chunk in follower:
            if start != position:
                decoder.reset()
            if start > position:
                gap = json.dumps({"from": position, "to": start})
                yield format_sse_event(data_str=gap, event="trimmed", id=str(start))
            position = start + len(chunk)
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
