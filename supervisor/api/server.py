"""Serving: uvicorn, ended cooperatively. It waits for open connections before it shuts down, so every
wait and stream is told first and closes by itself.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from supervisor.engine.engine import Engine

_GRACE_S = 2  # for connections that do not close by themselves


class Server(uvicorn.Server):
    """A uvicorn server that tells the engine's waiters before it closes, and returns to its caller."""

    def __init__(self, app: FastAPI, engine: Engine) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
            date_header=False,
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


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything is said to be ready; raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 - takes it by position only
    return listener
