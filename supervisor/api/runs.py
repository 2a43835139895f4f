"""Submitting runs, listing them, and looking at one, now or once it is as wanted."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from supervisor.api.answers import entity_tag, holds, json_answer
from supervisor.api.cursors import decode_cursor, encode_cursor
from supervisor.api.dependencies import EngineHere, Reference
from supervisor.api.held import Held
from supervisor.api.schemas import BriefRunView, RunList, RunView
from supervisor.api.submitting import IdempotencyKey, SubmissionsHere, run_links
from supervisor.api.views import brief_view, run_view
from supervisor.api.waiting import DEFAULT_WAIT_S, LONGEST_WAIT_S, WaitFor, wait_for
from supervisor.domain.run import RunState
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission

router = APIRouter(prefix="/v1/runs", tags=["runs"])

_CREATED = {
    "description": "Submitted; with `Idempotency-Replayed` the first answer to this key again",
    "model": RunView,
    "headers": {
        "Location": {"description": "the run", "schema": {"type": "string"}},
        "Idempotency-Replayed": {
            "description": "`true` on an answer that was given before",
            "schema": {"type": "string"},
        },
    },
    "links": run_links("$response.body#/id"),
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "an ETag that came before: a run that is still so is answered with 304",
    "schema": {"type": "string"},
}
_FOUND = {
    "description": "The run; with `view=brief` in at most 400 bytes",
    "model": RunView | BriefRunView,
    "headers": {"ETag": {"description": "send it as If-None-Match", "schema": {"type": "string"}}},
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    operation_id="submit_run",
    response_model=RunView,
    responses={201: _CREATED},
)
async def submit(
    submission: Submission, submissions: SubmissionsHere, idempotency_key: IdempotencyKey = None
) -> Response:
    """Submit a training script. It is launched as soon as a device is free; the answer comes at once.

    With an `Idempotency-Key` a retry is safe: the same key and body get the first answer again.
    """
    return await submissions.submit(submission, idempotency_key)


@router.get("", operation_id="list_runs", response_model=RunList)
async def list_runs(
    engine: EngineHere,
    state: Annotated[list[RunState] | None, Query(description="only these states", max_length=8)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=256, description="next_cursor of a page")] = None,
) -> Response:
    """Runs, newest first."""
    scope = f"runs {','.join(sorted(set(state or ())))}"
    before = None
    if cursor is not None:
        at, run_id = decode_cursor(scope, cursor, (float, str))
        before = (float(at), str(run_id))
    runs = await engine.runs(state, limit=limit + 1, before=before)
    page = runs[:limit]
    more = encode_cursor(scope, (page[-1].created_at, page[-1].id)) if len(runs) > limit else None
    now = engine.config.clock.moment()
    return json_answer(RunList(items=[run_view(run, now) for run in page], next_cursor=more))


@router.get(
    "/{reference}",
    operation_id="get_run",
    response_model=RunView | BriefRunView,
    openapi_extra={"parameters": [_IF_NONE_MATCH]},
    responses={200: _FOUND, 304: {"description": "The run is as the ETag in If-None-Match says"}},
)
async def get_run(
    reference: Reference,
    request: Request,
    *,
    wait_for_: Annotated[
        WaitFor | None,
        Query(alias="wait_for", description="answer once the run is so, has ended, or time is over"),
    ] = None,
    timeout_s: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False)] = DEFAULT_WAIT_S,
    view: Annotated[str, Query(pattern="^(full|brief)$", description="`full`, or `brief`")] = "full",
) -> Response:
    """One run, by id, name, unique prefix or `latest`; with `wait_for` once it is so, or time is over.

    A wait that times out is an ordinary answer: `wait.outcome` says so and `wait.next` is the next call.
    """
    # The route that callers ask most often: what it needs it takes itself, for each dependency that FastAPI
    # solves costs it as much as the answer.
    engine: Engine = request.app.state.engine
    run = await engine.find(reference)
    wait = None
    if wait_for_ is not None:
        held: Held = request.app.state.held
        with held.one():
            run, wait = await wait_for(engine, run, wait_for_, timeout_s)
    now = engine.config.clock.moment()
    if view == "brief":
        return json_answer(brief_view(run, now, wait))
    tag = entity_tag(run)
    if wait is None and holds(request.headers.get("if-none-match"), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    return json_answer(run_view(run, now, wait), headers={"ETag": tag})
