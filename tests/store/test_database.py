"""The store's threads: what is written together, what fails alone, what survives."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.store.database import Connection, Database
from supervisor.store.faults import StoreCorruptError, StoreError
from supervisor.store.schema import MIGRATIONS, SchemaTooNewError


def insert(name: str, *, fail: Exception | None = None) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute("INSERT INTO runs VALUES (?, NULL, 'queued', 1.0, '{}')", (name,))
        if fail is not None:
            raise fail
        return name

    return work


async def names(database: Database) -> list[str]:
    return await database.read(lambda c: [row[0] for row in c.execute("SELECT id FROM runs ORDER BY id")])


class Commits:
    """Holds the writer until released, so that writes queue up; counts the transactions."""

    def __init__(self, database: Database) -> None:
        self.begun: list[str] = []
        self.held = threading.Event()
        self._released = threading.Event()
        self.blocking = asyncio.ensure_future(database.write(self._block))

    def _block(self, connection: Connection) -> None:
        connection.set_trace_callback(self.begun.append)
        self.held.set()
        self._released.wait(10)

    def release(self) -> None:
        self._released.set()

    def count(self) -> int:
        return sum(statement == "COMMIT" for statement in self.begun)


async def test_writes_that_wait_together_are_committed_together(database: Database) -> None:
    commits = Commits(database)
    writes = [asyncio.ensure_future(database.write(insert(f"r{number}"))) for number in range(50)]
    await asyncio.sleep(0)
    commits.release()

    assert await asyncio.gather(*writes) == [f"r{number}" for number in range(50)]
    await commits.blocking
    assert commits.count() <= 2
    assert len(await names(database)) == 50


async def test_a_write_that_fails_takes_none_of_the_others_with_it(database: Database) -> None:
    commits = Commits(database)
    writes = [
        asyncio.ensure_future(database.write(insert("a"))),
        asyncio.ensure_future(database.write(insert("b", fail=RuntimeError("no")))),
        asyncio.ensure_future(database.write(insert("a"))),
        asyncio.ensure_future(database.write(insert("c"))),
    ]
    await asyncio.sleep(0)
    commits.release()
    found = await asyncio.gather(*writes, return_exceptions=True)

    assert (found[0], found[3]) == ("a", "c")
    assert isinstance(found[1], RuntimeError)
    assert isinstance(found[2], StoreError)
    assert await names(database) == ["a", "c"]


async def test_a_write_given_up_before_its_turn_is_not_made(database: Database) -> None:
    commits = Commits(database)
    await asyncio.to_thread(commits.held.wait, 10)
    given_up = asyncio.ensure_future(database.write(insert("given-up")))
    kept = asyncio.ensure_future(database.write(insert("kept")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    commits.release()
    await kept

    assert await names(database) == ["kept"]


async def test_a_disk_that_fails_the_transaction_fails_every_write_in_it(
    database: Database, path: Path
) -> None:
    """A second connection holds the file; SQLite's own error reaches each caller, and the next try works."""
    holder = sqlite3.connect(path, isolation_level=None)
    await database.write(lambda connection: connection.execute("PRAGMA busy_timeout = 1").fetchall())
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"database is locked; another program holds the store"):
        await database.write(insert("a"))
    holder.execute("ROLLBACK")
    holder.close()

    await database.write(insert("b"))
    assert await names(database) == ["b"]


async def test_a_failed_read_is_the_caller_s_to_know(database: Database) -> None:
    with pytest.raises(StoreError, match="no such table: missing"):
        await database.read(lambda connection: connection.execute("SELECT * FROM missing"))
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda _: 1 / 0)
    assert await names(database) == []


async def test_closing_finishes_what_is_queued_and_may_be_done_twice(path: Path) -> None:
    database = await Database.open(path)
    writes = [asyncio.ensure_future(database.write(insert(f"r{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()

    assert len(await asyncio.gather(*writes)) == 20
    with pytest.raises(StoreError, match="the store is closed"):
        await database.write(insert("late"))
    assert not path.with_name("traind.db-wal").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (20,)


WRITER = """
import asyncio, sys
from pathlib import Path
from supervisor.store.database import Database

async def main():
    database = await Database.open(Path(sys.argv[1]))
    for number in range(100000):
        text = f"INSERT INTO runs VALUES ('r{number:06}', NULL, 'queued', 1.0, '{{}}')"
        await database.write(lambda connection: connection.execute(text).close())
        print(number, flush=True)

asyncio.run(main())
"""


def test_what_was_written_before_a_sigkill_is_there_after_it(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(200):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        told = 200 + len(writer.stdout.read().splitlines())

    async def count() -> int:
        database = await Database.open(path)
        found = await names(database)
        await database.close()
        return len(found)

    assert asyncio.run(count()) >= told


async def test_a_store_of_a_newer_traind_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()

    with pytest.raises(SchemaTooNewError, match=r"the store has schema \d+ and this traind knows"):
        await Database.open(path)


@pytest.mark.parametrize(
    "content", [b"not a database, and more than sixteen bytes of it", b"SQLite format 3\0"]
)
async def test_a_damaged_store_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content * 50)

    with pytest.raises(StoreCorruptError, match="is damaged: file is not a database"):
        await Database.open(path)
    assert path.read_bytes() == content * 50


async def test_a_store_that_cannot_be_opened_is_an_error_of_the_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="check that the state directory is there"):
        await Database.open(tmp_path / "missing" / "traind.db")


async def test_a_migration_that_fails_leaves_the_schema_before_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Database.open(path)).close()
    broken = (*MIGRATIONS, "CREATE TABLE new (x); SELECT * FROM missing")
    monkeypatch.setattr("supervisor.store.schema.MIGRATIONS", broken)
    with pytest.raises(StoreError):
        await Database.open(path)
    monkeypatch.undo()

    database = await Database.open(path)
    tables = await database.read(
        lambda c: [row[0] for row in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    )
    await database.close()
    assert sorted(tables) == ["attempts", "events", "idempotency_keys", "runs", "samples"]
