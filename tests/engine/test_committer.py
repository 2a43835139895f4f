"""What is only noted reaches the store in groups, in order, and survives a store that fails for a while."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.domain.events import Event
from supervisor.domain.run import Run, RunSpec
from supervisor.engine.committer import Committer
from supervisor.store.changes import Change
from supervisor.store.database import Database
from supervisor.store.events import events_after
from supervisor.store.faults import StoreError
from supervisor.store.runs import insert_run

RUN = Run("r", RunSpec("/t.py", "/", "/python"), created_at=1.0)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "traind.db")
    await opened.write(lambda connection: insert_run(connection, RUN))
    yield opened
    await opened.close()


def change(number: int) -> Change:
    return Change(RUN, None, (Event(number, 1.0, "progress", None, {}),))


async def stored(database: Database) -> list[int]:
    found = await database.read(lambda connection: events_after(connection, "r", 0, 100))
    return [event.number for event in found]


async def test_what_waits_is_stored_before_what_is_committed(database: Database) -> None:
    committer = Committer(database)
    committer.commit_soon(change(1))
    committer.commit_soon(change(2))
    assert await stored(database) == []
    await committer.commit(change(3))
    assert await stored(database) == [1, 2, 3]


async def test_notes_are_stored_within_a_moment_by_themselves(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.engine.committer._WINDOW_S", 0.01)
    committer = Committer(database)
    task = asyncio.create_task(committer.run())
    committer.commit_soon(change(1))
    async with asyncio.timeout(10):
        while not await stored(database):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_notes_that_could_not_be_stored_come_with_the_next_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(database)

    async def full(work: object) -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(database, "write", full)
    committer.commit_soon(change(1))
    await committer.flush()
    committer.commit_soon(change(2))
    with pytest.raises(StoreError):
        await committer.commit(change(3))
    monkeypatch.undo()
    assert await stored(database) == []

    await committer.commit(change(4))
    assert await stored(database) == [1, 2, 4]
