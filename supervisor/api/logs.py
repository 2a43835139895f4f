"""A run's log as bytes, by offset or from the end."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from supervisor.api.auth import require_token
from supervisor.api.dependencies import EngineHere, RunHere
from supervisor.api.problems import ProblemError
from supervisor.domain.run import Stage
from supervisor.process.logfile import log_size, read_range

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
) -> Response:
    """Bytes of the log from `offset`, by default its end; frames of progress bars collapsed unless `raw`."""
    number = attempt or (1 if stage is Stage.FOLLOW_UP else max(1, run.attempt))
    known = {(item.stage, item.number) for item in await engine.attempts(run.id)}
    if attempt is not None and (stage, number) not in known:
        detail = f"run {run.id} has no {stage} attempt {number}; GET /v1/runs/{run.id}/attempts lists them"
        raise ProblemError(HTTPStatus.NOT_FOUND, "attempt_not_found", detail)
    path = engine.log_path(run.id, stage, number)
    size = await asyncio.to_thread(log_size, path)
    start = max(0, size - limit) if offset is None else offset
    if start > size:
        detail = f"offset {start} lies past the end; the log has {size} bytes"
        raise ProblemError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "offset_past_end", detail)
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
