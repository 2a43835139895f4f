"""Routes about runs: submit, look, wait, stop, and their attempts."""

import base64
import binascii
import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Response
from pydantic import BaseModel

from supervisor.api.auth import require_token
from supervisor.api.dependencies import EngineHere, RunHere
from supervisor.api.problems import ProblemError
from supervisor.api.views import AttemptView, RunView, attempt_view, run_view
from supervisor.api.waiting import DEFAULT_WAIT_S, LONGEST_WAIT_S, WaitFor, wait_for
from supervisor.domain.run import Run, RunState
from supervisor.engine.submission import Submission

router = APIRouter(prefix="/v1/runs", tags=["runs"], dependencies=[Depends(require_token)])


class RunList(BaseModel):
    items: list[RunView]
    next_cursor: str | None


class AttemptList(BaseModel):
    items: list[AttemptView]
    next_cursor: None = None


class StopRequest(BaseModel):
    """How to stop: SIGTERM now, SIGKILL to what is left after `grace_s` seconds."""

    model_config = {"extra": "forbid"}

    grace_s: Annotated[float, Query(ge=0, le=3600)] | None = None


@router.post("", status_code=HTTPStatus.CREATED, operation_id="submit_run")
async def submit(submission: Submission, engine: EngineHere, response: Response) -> RunView:
    """Submit a training script. It is launched as soon as a device is free; the answer comes at once."""
    run = await engine.submit(submission)
    response.headers["Location"] = f"/v1/runs/{run.id}"
    return run_view(run)


@router.get("", operation_id="list_runs")
async def list_runs(
    engine: EngineHere,
    state: Annotated[list[RunState] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> RunList:
    """Runs, newest first."""
    before = _decode_cursor(cursor) if cursor is not None else None
    runs = await engine.runs(state, limit=limit + 1, before=before)
    more = len(runs) > limit
    runs = runs[:limit]
    return RunList(
        items=[run_view(run) for run in runs],
        next_cursor=_encode_cursor(runs[-1]) if more else None,
    )


@router.get("/{reference}", operation_id="get_run")
async def get_run(
    run: RunHere,
    engine: EngineHere,
    wait_for_: Annotated[WaitFor | None, Query(alias="wait_for")] = None,
    timeout_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = DEFAULT_WAIT_S,
) -> RunView:
    """One run, by id, name, unique prefix or `latest`; with `wait_for` once it is so, or time is over."""
    if wait_for_ is None:
        return run_view(run)
    run, wait = await wait_for(engine, run, wait_for_, timeout_s)
    return run_view(run, wait)


@router.post("/{reference}/stop", status_code=HTTPStatus.ACCEPTED, operation_id="stop_run")
async def stop(
    run: RunHere, engine: EngineHere, request: Annotated[StopRequest | None, Body()] = None
) -> RunView:
    """Stop a run gracefully. May be repeated; a run that has ended stays as it is."""
    grace_s = request.grace_s if request is not None else None
    return run_view(await engine.stop(run, grace_s))


@router.get("/{reference}/attempts", operation_id="list_attempts")
async def attempts(run: RunHere, engine: EngineHere) -> AttemptList:
    """The run's attempts in order, with their verdicts; the follow-up's last."""
    return AttemptList(items=[attempt_view(attempt) for attempt in await engine.attempts(run.id)])


def _encode_cursor(run: Run) -> str:
    return base64.urlsafe_b64encode(json.dumps([run.created_at, run.id]).encode()).decode()


def _decode_cursor(cursor: str) -> tuple[float, str]:
    try:
        at, run_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return float(at), str(run_id)
    except (ValueError, TypeError, binascii.Error) as error:
        detail = "cursor is not one of this list's; send the next_cursor of the page before, or none"
        raise ProblemError(HTTPStatus.BAD_REQUEST, "bad_cursor", detail) from error
