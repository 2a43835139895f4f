"""The tasks that must never end: a daemon in which one of them has ended does not supervise, and says so."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Parts:
    """Starts them, and knows which have ended."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def keep(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start this part; cancelled by the caller at the daemon's end."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_tell_end)
        self._tasks.append(task)
        return task

    def ended(self) -> list[str]:
        """The names of those that have ended, for whatever reason."""
        return [task.get_name() for task in self._tasks if task.done()]


def _tell_end(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("a part of the daemon failed: restart it", part=task.get_name(), exc_info=error)
