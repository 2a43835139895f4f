"""A run's numbered events: as a page of JSON, or as a stream that never loses one."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel

from supervisor.api.auth import require_token
from supervisor.api.dependencies import EngineHere, RunHere
from supervisor.api.streams import KEEPALIVE_S, STREAM_HEADERS, with_keepalive
from supervisor.api.views import EventView, event_view
from supervisor.engine.engine import Engine

router = APIRouter(prefix="/v1/runs", tags=["events"], dependencies=[Depends(require_token)])

_PAGE = 500


class EventList(BaseModel):
    """`next_after` is what to send as `after` for the page behind this one."""

    items: list[EventView]
    next_after: int


@router.get("/{reference}/events", operation_id="list_events", response_model=EventList)
async def events(
    run: RunHere,
    engine: EngineHere,
    request: Request,
    after: Annotated[int, Query(ge=0)] = 0,
    *,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventList | StreamingResponse:
    """Events numbered beyond `after`. With `Accept: text/event-stream` a stream until the run's end."""
    if "text/event-stream" in request.headers.get("accept", ""):
        resumed = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
        stream = with_keepalive(_stream(engine, run.id, resumed), KEEPALIVE_S)
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)
    found = await engine.events(run.id, after, limit)
    return EventList(
        items=[event_view(event) for event in found], next_after=found[-1].number if found else after
    )


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
