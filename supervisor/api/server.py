"""Serving: uvicorn, ended cooperatively. It waits for open connections before it shuts down, so every
wait and stream is told first and closes by itself.
"""

import asyncio
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from supervisor.engine.engine import Engine

_GRACE_S = 2  # for connections that do not close by themselves


class Server(uvicorn.Server):
    """A uvicorn server that tells the engine's waiters before it closes."""

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
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._engine.hub.close)
        super().handle_exit(sig, frame)


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
