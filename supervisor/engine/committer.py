"""Brings changes of runs to the store: at once where somebody waits for it, else many runs' together."""

import asyncio
from collections import deque

import structlog

from supervisor.store.changes import Change, write_changes
from supervisor.store.database import Database
from supervisor.store.faults import StoreError

log = structlog.get_logger(__name__)

_WINDOW_S = 1.0
_MOST_WAITING = 10_000  # a disk that stays full must not fill the memory as well


class Committer:
    """`commit` returns once the change is stored; `commit_soon` stores it within a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Change] = deque(maxlen=_MOST_WAITING)
        self._something = asyncio.Event()
        self._failing = False

    async def commit(self, change: Change) -> None:
        """Store this change, and before it all that waits; raises `StoreError`."""
        waiting = self._take_waiting()
        try:
            await self._database.write(lambda connection: write_changes(connection, [*waiting, change]))
        except StoreError:
            self._put_back(waiting)
            raise

    def commit_soon(self, change: Change) -> None:
        self._waiting.append(change)
        self._something.set()

    async def run(self) -> None:
        """Store what waits, for ever; cancelled at the daemon's end, after which `flush` is called."""
        while True:
            await self._something.wait()
            await asyncio.sleep(_WINDOW_S)
            await self.flush()

    async def flush(self) -> None:
        """Store all that waits. A failure is logged once, and tried again until it is over."""
        waiting = self._take_waiting()
        if not waiting:
            return
        try:
            await self._database.write(lambda connection: write_changes(connection, waiting))
        except StoreError as error:
            self._put_back(waiting)
            if not self._failing:
                log.warning("progress is not stored for now", error=str(error))
            self._failing = True
        else:
            self._failing = False

    def _take_waiting(self) -> list[Change]:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._something.clear()
        return waiting

    def _put_back(self, waiting: list[Change]) -> None:
        # Of more than there is room for the oldest go: the newest hold where each run stands.
        self._waiting = deque([*waiting, *self._waiting], maxlen=_MOST_WAITING)
        self._something.set()
