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
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from supervisor.store.schema import migrate

Connection = sqlite3.Connection
T = TypeVar("T")

_BUSY_S = 10.0
_CLOSE_S = 10.0
_GROUP = 256  # writes in one transaction at the most


class StoreError(Exception):
    """The store could not be read or written. A later try may succeed."""


class StoreCorruptError(Exception):
    """The store's file is damaged or is none of ours. Nothing of it was changed."""


Work = Callable[[Connection], Any]
Item = tuple[Work, "Future[Any]"]


class Database:
    """An open store. `write` and `read` take a function of a connection and await its result."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _Worker(path, "store-writer", _write_group)
        self._reader = _Worker(path, "store-reader", _read_group)

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Open or make the store, and migrate it.

        Raises `StoreCorruptError`, `StoreError`, `SchemaTooNewError`.
        """
        await asyncio.to_thread(_prepare, path)
        return cls(path)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; raises `StoreError` where the disk fails it."""
        return await self._writer.submit(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection that sees all that was committed; raises `StoreError`."""
        return await self._reader.submit(work)

    async def close(self) -> None:
        """Finish what is queued, fold the log into the file, end the threads. May be called twice."""
        await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self._writer.close)


class _Worker:
    """A thread with a connection and a queue; `run_group` does what waits in the queue."""

    def __init__(self, path: Path, name: str, run_group: Callable[[Connection, list[Item]], None]) -> None:
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._path = path
        self._run_group = run_group
        self._closed = False
        # A daemon thread: a write stuck on a dead disk must not hold up the interpreter's end.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

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
        connection = _connect(self._path)
        try:
            while (item := self._queue.get()) is not None:
                group = [item, *self._waiting()]
                self._run_group(connection, group)
        finally:
            connection.close()

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


def _write_group(connection: Connection, group: list[Item]) -> None:
    group = [item for item in group if item[1].set_running_or_notify_cancel()]
    done: list[tuple[Future[Any], Any]] = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        for work, future in group:
            connection.execute("SAVEPOINT item")
            try:
                result = work(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's to know
                connection.execute("ROLLBACK TO item")
                future.set_exception(_explained(error))
            else:
                done.append((future, result))
            connection.execute("RELEASE item")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.rollback()
        for _, future in group:
            if not future.done():
                future.set_exception(_explained(error))
        return
    for future, result in done:
        future.set_result(result)


def _read_group(connection: Connection, group: list[Item]) -> None:
    for work, future in group:
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(connection))
        except Exception as error:  # noqa: BLE001 - likewise the caller's to know
            future.set_exception(_explained(error))


def _explained(error: Exception) -> Exception:
    if not isinstance(error, sqlite3.Error):
        return error
    wrapped = StoreError(f"the store cannot be used: {error}; is the disk of the state directory full?")
    wrapped.__cause__ = error
    return wrapped


def _connect(path: Path) -> Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _prepare(path: Path) -> None:
    try:
        connection = _connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        damaged = type(error) is sqlite3.DatabaseError
        if damaged:
            message = f"{path} is damaged or not a store: {error}; move it away and start again"
            raise StoreCorruptError(message) from error
        raise StoreError(f"{path} cannot be opened: {error}; check the disk and the file's mode") from error
