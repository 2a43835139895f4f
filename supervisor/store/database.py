"""The store's connections: one thread that writes, one that reads, and nothing else touches SQLite.

Writes that wait together are committed together, each within a savepoint of its own, so that one that
fails takes none of the others with it. In WAL mode with `synchronous=NORMAL` a commit survives the
daemon's SIGKILL; a power cut may take the newest ones, when nothing that they speak of is alive either.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from supervisor.store.faults import (
    StoreError,
    explained,
    leaves_connection_sound,
    tells_of_damage,
)
from supervisor.store.opening import connect, file_identity, prepare, suspect

Connection = sqlite3.Connection
T = TypeVar("T")

_CLOSE_S = 10.0
_GROUP = 256  # writes in one transaction at the most
_MOVED = (
    "the store's file was moved or deleted under the daemon: put the state directory back, or end the daemon"
)


Work = Callable[[Connection], Any]
Item = tuple[Work, "Future[Any]"]
Explain = Callable[[Exception], Exception]
RunGroup = Callable[[Connection, list[Item], Explain], None]


class Database:
    """An open store. `write` and `read` take a function of a connection and await its result."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _Worker(path, "store-writer", _write_group, only_in_place=True)
        self._reader = _Worker(path, "store-reader", _read_group)

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open or make the store, and migrate it.

        Raises `StoreCorruptError`, `ForeignFileError`, `SchemaTooNewError`, and then nothing of the file
        was changed; and `StoreError`.
        """
        await asyncio.to_thread(prepare, path)
        return cls(path)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; raises `StoreError` where the disk fails it."""
        return await self._writer.submit(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection that sees all that was committed; raises `StoreError`."""
        return await self._reader.submit(work)

    async def check(self) -> None:
        """Raises `StoreError` where the store can be read or written no more.

        Writing is tried only where the last write failed, or the file is not in its place.
        """
        await self.read(lambda connection: connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone())
        if self._writer.doubtful:
            await self.write(_rewrite_header)

    async def close(self) -> None:
        """Finish what is queued, fold the log into the file, end the threads. May be called twice."""
        await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self._writer.close)


class _Worker:
    """A thread with a connection and a queue; `run_group` does what waits in the queue."""

    def __init__(self, path: Path, name: str, run_group: RunGroup, *, only_in_place: bool = False) -> None:
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._path = path
        self._place = file_identity(path) if only_in_place else None
        self._run_group = run_group
        self._connection: Connection | None = None
        self._closed = False
        self._failed = False
        # A daemon thread: a write stuck on a dead disk must not hold up the interpreter's end.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def doubtful(self) -> bool:
        """Whether the last group failed as a whole, or the next one will."""
        return self._failed or self._moved()

    async def submit(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        future: Future[T] = Future()
        self._queue.put((work, future))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join(_CLOSE_S)

    def _serve(self) -> None:
        while (item := self._queue.get()) is not None:
            waiting = [item, *self._waiting()]
            group = [item for item in waiting if item[1].set_running_or_notify_cancel()]
            try:
                self._run_group(self._connected(), group, self._explained)
                self._failed = False
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                self._failed = True
                self._settle(error)
                for _, future in group:
                    if not future.done():
                        future.set_exception(self._explained(error))
        self._disconnect()

    def _waiting(self) -> list[Item]:
        found: list[Item] = []
        while len(found) < _GROUP:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            found.append(item)
        return found

    def _connected(self) -> Connection:
        if self._moved():
            raise StoreError(_MOVED)
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _moved(self) -> bool:
        """Whether what is written now would be found by no later daemon."""
        return self._place is not None and file_identity(self._path) != self._place

    def _settle(self, error: Exception) -> None:
        """Undo the transaction; a connection that may have been broken by the error is not used on."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            self._disconnect()
            return
        if not leaves_connection_sound(error):
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _explained(self, error: Exception) -> Exception:
        if tells_of_damage(error):
            with suppress(OSError):
                suspect(self._path).touch()
        return explained(error)


def _write_group(connection: Connection, group: list[Item], explain: Explain) -> None:
    """Raises what failed the transaction as a whole; then nothing of the group is stored."""
    done: list[tuple[Future[Any], Any]] = []
    connection.execute("BEGIN IMMEDIATE")
    for work, future in group:
        connection.execute("SAVEPOINT item")
        try:
            result = work(connection)
        except Exception as error:
            if not connection.in_transaction:
                # A full disk takes back the whole transaction, with what the others had written in it.
                if isinstance(error, sqlite3.Error):
                    raise
                raise sqlite3.OperationalError("the transaction was taken back") from error
            connection.execute("ROLLBACK TO item")
            future.set_exception(explain(error))
        else:
            done.append((future, result))
        connection.execute("RELEASE item")
    connection.execute("COMMIT")
    for future, result in done:
        future.set_result(result)


def _read_group(connection: Connection, group: list[Item], explain: Explain) -> None:
    for work, future in group:
        try:
            future.set_result(work(connection))
        except Exception as error:  # noqa: BLE001 - likewise the caller's to know
            future.set_exception(explain(error))


def _rewrite_header(connection: Connection) -> None:
    """The least that is a write: the schema's number as it is."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version}")
