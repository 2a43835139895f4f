"""What server-sent event streams share: keep-alives, headers, the bound on them, where to resume."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT

from supervisor.api.held import Held

KEEPALIVE_S = 15.0  # under the 30 s after which many clients and proxies give up
MEDIA_TYPE = "text/event-stream"
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

STREAM_CONTENT: dict[str, Any] = {
    MEDIA_TYPE: {
        "schema": {
            "type": "object",
            "description": "one server-sent event",
            "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
        }
    }
}
LastEventId = Annotated[
    str | None,
    Header(pattern=r"^[0-9]{0,18}$", description="where a stream goes on: the id of the last event seen"),
]


def event_stream(held: Held, events: AsyncIterator[bytes]) -> StreamingResponse:
    """Answer with a stream; raises `ProblemError` where too many are open."""
    held.check()
    return StreamingResponse(_counted(held, with_keepalive(events, KEEPALIVE_S)), 200, _HEADERS, MEDIA_TYPE)


def resumed_at(last_event_id: str | None, otherwise: int) -> int:
    """Where a stream goes on: behind the last event that its reader has seen."""
    return int(last_event_id) if last_event_id else otherwise


async def with_keepalive(stream: AsyncIterator[bytes], every_s: float) -> AsyncIterator[bytes]:
    """The stream, with a comment after every `every_s` seconds without an event."""
    following = asyncio.ensure_future(anext(stream, None))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=every_s)
            if not done:
                yield KEEPALIVE_COMMENT
                continue
            event = following.result()
            if event is None:
                return
            yield event
            following = asyncio.ensure_future(anext(stream, None))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await stream.aclose()  # type: ignore[attr-defined] # the streams here are generators


async def _counted(held: Held, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    with held.one():
        async for event in stream:
            yield event
