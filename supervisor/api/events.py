"""A run's numbered events: as a page of JSON, or as a stream that never loses one."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.sse import format_sse_event

from supervisor.api.answers import json_answer
from supervisor.api.cursors import decode_cursor, encode_cursor
from supervisor.api.dependencies import LARGEST_INT, EngineHere, HeldHere, RunHere
from supervisor.api.negotiation import preferred
from supervisor.api.problems import ProblemError, contradiction
from supervisor.api.schemas import EventList
from supervisor.api.streams import (
    KEEPALIVE_S,
    MEDIA_TYPE,
    STREAM_CONTENT,
    LastEventId,
    event_stream,
    resumed_at,
)
from supervisor.api.views import event_view
from supervisor.engine.engine import Engine

router = APIRouter(prefix="/v1/runs", tags=["events"])

_PAGE = 500


@router.get(
    "/{reference}/events",
    operation_id="list_events",
    response_model=EventList,
    responses={200: {"content": STREAM_CONTENT}},
)
async def events(
    run: RunHere,
    engine: EngineHere,
    held: HeldHere,
    request: Request,
    after: Annotated[int | None, Query(ge=0, le=LARGEST_INT, description="the last number seen")] = None,
    *,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=256, description="next_cursor of a page")] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Events numbered beyond `after`, in order. As `text/event-stream` they go on until the run's end.

    In such a stream an event's `id` is its number, and the last event is `end`.
    """
    scope = f"events {run.id}"
    if cursor is not None:
        if after is not None:
            raise contradiction("after and cursor both say where to begin; send one of them")
        after = int(decode_cursor(scope, cursor, (int,))[0])
    if preferred(request.headers.get("accept"), ("application/json", MEDIA_TYPE)) == MEDIA_TYPE:
        resumed = resumed_at(last_event_id, after or 0)
        await _refuse_future(engine, run.id, resumed)
        return event_stream(held, _stream(engine, run.id, resumed))
    await _refuse_future(engine, run.id, after or 0)
    found = await engine.events(run.id, after or 0, limit + 1)
    page = found[:limit]
    last = page[-1].number if page else after or 0
    more = encode_cursor(scope, (last,)) if len(found) > limit else None
    return json_answer(
        EventList(items=[event_view(event) for event in page], next_cursor=more, next_after=last)
    )


async def _refuse_future(engine: Engine, run_id: str, after: int) -> None:
    last = await engine.last_event(run_id)
    if after > last:
        detail = f"event {after} has not happened: the last one is {last}; send after={last} to wait for more"
        raise ProblemError(HTTPStatus.CONFLICT, "after_in_future", detail)


async def _stream(engine: Engine, run_id: str, after: int) -> AsyncIterator[bytes]:
    """Events from the store, woken by the hub: a slow reader reads later, and loses nothing."""
    while True:
        version = engine.hub.version(run_id)
        closing = engine.hub.closing.is_set()
        run = await engine.find(run_id)
        page = await engine.events(run_id, after, _PAGE)
        if page:
            after = page[-1].number
            yield b"".join(
                format_sse_event(
                    data_str=event_view(event).model_dump_json(), event=event.type, id=str(event.number)
                )
                for event in page
            )
            continue
        if run.state.ended or closing:
            reason = "ended" if run.state.ended else "stopping"
            data = f'{{"reason": "{reason}", "state": "{run.state}", "next_after": {after}}}'
            yield format_sse_event(data_str=data, event="end")
            return
        await engine.hub.wait_beyond(run_id, version, KEEPALIVE_S)
