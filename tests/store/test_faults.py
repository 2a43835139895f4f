"""Disks that are full, fail or are read-only, and a file that is taken away: each write is told the truth."""

import asyncio
import errno
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor.engine.committer import Committer
from supervisor.store.database import Connection, Database
from supervisor.store.faults import StoreError, explained, leaves_connection_sound, tells_of_damage
from supervisor.store.opening import look
from tests.small_disk import fill, on_small_disk


def insert(name: str, size: int = 2) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute("INSERT INTO runs VALUES (?, NULL, 'queued', 1.0, ?)", (name, "x" * size))
        return name

    return work


async def names(database: Database) -> set[str]:
    return await database.read(lambda c: {row[0] for row in c.execute("SELECT id FROM runs")})


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A write beyond fails with EFBIG, which SQLite knows no better than any other failing disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_no_write_is_told_to_be_stored_that_was_taken_back(tmp_path: Path) -> None:
    on_small_disk(full_scenario, tmp_path / "disk", "1m")


def full_scenario(place: str) -> None:
    asyncio.run(_fill_up(Path(place)))


async def _fill_up(disk: Path) -> None:
    database = await Database.open(disk / "traind.db")
    # SQLite keeps little in memory: the disk is full in the middle of the transaction, not at its end.
    await database.write(lambda connection: connection.execute("PRAGMA cache_size = 5").close())
    filling = fill(disk)
    with filling.open("r+b") as file:
        file.truncate(filling.stat().st_size - 200_000)
    stored: set[str] = set()
    refused = 0
    for group in range(8):
        wanted = [f"g{group}n{number}" for number in range(30)]
        writes = [database.write(insert(name, 3000)) for name in wanted]
        for name, found in zip(wanted, await asyncio.gather(*writes, return_exceptions=True), strict=True):
            if isinstance(found, StoreError):
                assert "disk is full; free space" in str(found), str(found)
                refused += 1
            else:
                assert found == name
                stored.add(name)
        assert await names(database) == stored
    assert refused

    filling.unlink()
    assert await database.write(insert("after")) == "after"
    assert await names(database) == stored | {"after"}
    await database.close()


async def test_a_disk_that_fails_is_told_and_used_again_once_it_works(database: Database, path: Path) -> None:
    await database.write(insert("first"))
    assert await names(database) == {"first"}
    with no_file_larger_than(path.with_name("traind.db-wal").stat().st_size):
        with pytest.raises(
            StoreError, match="disk I/O error; the disk of the state directory is full or fails"
        ):
            await database.write(insert("a", 100_000))
        with pytest.raises(StoreError, match="disk I/O error"):
            await database.check()
        assert await names(database) == {"first"}
    await database.check()
    await database.write(insert("b"))
    assert await names(database) == {"first", "b"}


async def test_a_store_that_turns_read_only_is_told_and_used_again_once_it_is_not(database: Database) -> None:
    await database.write(lambda connection: connection.execute("PRAGMA query_only = 1").close())
    with pytest.raises(StoreError, match="its file or disk is read-only: make it writable"):
        await database.write(insert("a"))
    assert await names(database) == set()


async def test_a_write_that_goes_on_after_its_transaction_was_taken_back_is_not_stored(
    database: Database,
) -> None:
    def stubborn(connection: Connection) -> None:
        connection.execute("ROLLBACK")

    def angry(connection: Connection) -> None:
        connection.execute("ROLLBACK")
        raise RuntimeError("of its own")

    for work in (stubborn, angry):
        found = await asyncio.gather(
            database.write(insert("before")), database.write(work), return_exceptions=True
        )
        assert isinstance(found[1], StoreError)
        stored = await names(database)
        assert isinstance(found[0], StoreError) != ("before" in stored)
        await database.write(lambda connection: connection.execute("DELETE FROM runs").close())
    await database.write(insert("after"))
    assert await names(database) == {"after"}


async def test_a_file_that_was_moved_takes_no_write_until_it_is_back(database: Database, path: Path) -> None:
    await database.check()
    path.rename(path.with_name("away"))
    with pytest.raises(StoreError, match="moved or deleted under the daemon: put the state directory back"):
        await database.write(insert("a"))
    with pytest.raises(StoreError, match="moved or deleted"):
        await database.check()
    assert not path.exists()
    path.with_name("away").rename(path)
    await database.check()
    await database.write(insert("b"))
    assert await names(database) == {"b"}


async def test_another_program_that_holds_the_file_is_waited_for(database: Database, path: Path) -> None:
    hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
    hold += "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    write = asyncio.ensure_future(database.write(insert("a")))
    await asyncio.wait([write], timeout=0.3)
    assert not write.done()
    assert await names(database) == set()
    holder.communicate()
    assert await write == "a"


async def test_of_too_much_that_waits_the_newest_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.engine.committer._MOST_WAITING", 3)
    committer = Committer(database)
    committer._put_back([1, 2, 3, 4])  # type: ignore[list-item]
    assert committer._take_waiting() == [2, 3, 4]


async def test_looking_at_a_store_in_use_changes_nothing_and_finds_nothing(
    database: Database, path: Path
) -> None:
    await database.write(insert("a"))
    before = {item.name for item in path.parent.iterdir()}
    assert look(path) is None
    assert {item.name for item in path.parent.iterdir()} == before
    await database.write(insert("b"))
    assert look(path.with_name("missing.db")) is None


async def test_looking_says_what_is_wrong(path: Path) -> None:
    path.write_bytes(b"noise" * 1000)
    assert "is damaged" in str(look(path))
    path.unlink()
    path.mkdir()
    assert "check that the state directory is there" in str(look(path))


def test_an_error_that_is_not_sqlite_s_stays_what_it_is() -> None:
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    assert explained(error) is error
    assert not tells_of_damage(error)
    assert not leaves_connection_sound(error)
    assert str(explained(sqlite3.ProgrammingError("odd"))) == "the store cannot be used: odd"
