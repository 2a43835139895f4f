"""Serving: uvicorn, ended cooperatively. It waits for open connections before it shuts down, so every
wait and stream is told first and closes by itself.
"""

import asyncio
import contextlib
import json
import signal
from collections.abc import Iterator
from http import HTTPStatus

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from supervisor.api.problems import MEDIA_TYPE, problem_body
from supervisor.engine.engine import Engine

_GRACE_S = 0.5  # for connections that do not close by themselves: the whole end takes under 2 s
_LARGEST_HEAD = 64 * 1024


class Protocol(H11Protocol):
    """HTTP/1.1 whose word on a malformed request is a problem like any other."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a head that is too large, and hang up."""
        detail = f"{msg.rstrip('.')}; send HTTP/1.1 with a head of at most {_LARGEST_HEAD} bytes"
        body = json.dumps(problem_body(HTTPStatus.BAD_REQUEST, "malformed_request", detail)).encode()
        headers = [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class Server(uvicorn.Server):
    """A uvicorn server that tells the engine's waiters before it closes, and returns to its caller."""

    def __init__(self, app: FastAPI, engine: Engine) -> None:
        config = uvicorn.Config(
            app,
            http=Protocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,  # type: ignore[arg-type] # any number of seconds will do
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )
        super().__init__(config)
        self._engine = engine

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the serving. uvicorn's own way raises them again at the end, which
        would kill the daemon before it has closed its store."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def end(self) -> None:
        """Wake every wait and stream, then close."""
        self._engine.hub.close()
        self.should_exit = True
