"""A process that writes is killed at any moment: what it was told is stored is there, and nothing is half."""

import multiprocessing
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.store.attempts import list_attempts
from supervisor.store.database import Connection, Database
from supervisor.store.events import events_after
from supervisor.store.runs import get_run
from supervisor.store.schema import MIGRATIONS
from tests.store.dying import EVENTS, RUN, open_until_killed, write_until_killed

LIMIT_S = 30.0
MOMENTS = 25
STATEMENTS = range(1, 46, 2)  # a change is some ten statements; four of them and more are one transaction

# A server that has imported everything forks the writers: forty of them start within seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.store.dying"])


def write_and_die(path: Path, *, die_at: int | None, after_s: float) -> int:
    """Have a process write until it is killed; the last attempt that it was told is stored."""
    ours, theirs = FORKS.Pipe(duplex=False)
    writer = FORKS.Process(target=write_until_killed, args=(path, theirs, die_at))
    writer.start()
    theirs.close()
    last = 0
    try:
        if die_at is None:
            last = ours.recv() if ours.poll(LIMIT_S) else 0
            writer.join(after_s)
            writer.kill()
        while ours.poll(LIMIT_S):
            last = max(last, ours.recv())
    except EOFError:
        pass
    writer.join(LIMIT_S)
    assert writer.exitcode == -9
    ours.close()
    return last


async def check(path: Path, told: int) -> None:
    database = await Database.open(path)
    found = await database.read(_picture)
    await database.close()
    sound, run, attempts, numbers = found
    assert sound == "ok"
    assert run >= told
    assert attempts == list(range(1, run + 1))
    assert numbers == list(range(1, run * EVENTS + 1))


def _picture(connection: Connection) -> tuple[str, int, list[int], list[int]]:
    run = get_run(connection, RUN.id)
    attempts = [attempt.number for attempt in list_attempts(connection, RUN.id)]
    numbers = [event.number for event in events_after(connection, RUN.id, 0, 1_000_000)]
    sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return sound, run.attempt if run else 0, attempts, numbers


async def test_killed_at_any_moment_the_store_holds_what_was_told_and_nothing_half(path: Path) -> None:
    moments = random.Random(7)  # noqa: S311 - the same moments each time
    told = 0
    for _ in range(MOMENTS):
        last = write_and_die(path, die_at=None, after_s=moments.uniform(0, 0.04))
        told = max(told, last)
        await check(path, told)
    assert told > MOMENTS


async def test_killed_at_any_statement_the_store_holds_what_was_told_and_nothing_half(path: Path) -> None:
    told = 0
    for statement in STATEMENTS:
        told = max(told, write_and_die(path, die_at=statement, after_s=0))
        await check(path, told)
    assert told > 0


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
async def test_killed_anywhere_in_a_migration_the_next_start_finishes_it(path: Path, version: int) -> None:
    killed = 0
    while True:
        for item in path.parent.glob("traind.db*"):
            item.unlink()
        if version:
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(";".join(MIGRATIONS[:version]))
                connection.execute(f"PRAGMA user_version = {version}")
        opener = FORKS.Process(target=open_until_killed, args=(path, killed + 1))
        opener.start()
        opener.join(LIMIT_S)
        database = await Database.open(path)
        tables = await database.read(
            lambda c: {row[0] for row in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        )
        await database.close()
        assert tables == {"runs", "attempts", "events", "samples", "idempotency_keys"}
        if opener.exitcode == 0:
            break
        assert opener.exitcode == -9
        killed += 1
    assert killed >= 5
