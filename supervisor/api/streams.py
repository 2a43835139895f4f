"""What server-sent event streams share."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.sse import KEEPALIVE_COMMENT

KEEPALIVE_S = 15.0  # under the 30 s after which many clients and proxies give up
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


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
