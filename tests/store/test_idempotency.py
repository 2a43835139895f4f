"""Rows of idempotency keys, and the store that was made before there were any."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.domain.run import Intent, Reason, Run, RunSpec
from supervisor.store import runs
from supervisor.store.database import Database
from supervisor.store.encoding import Codec
from supervisor.store.faults import StoreError
from supervisor.store.idempotency import KeyTakenError, Remembered, delete_keys_before, get_key, put_key
from supervisor.store.schema import MIGRATIONS

KEY = Remembered("k1", "digest", '{"id": "r1"}')


def a_run(run_id: str) -> Run:
    return Run(run_id, RunSpec("/train.py", "/", "/python"), 1.0)


async def stored(database: Database, run_id: str, remembered: Remembered, at: float = 5.0) -> None:
    await database.write(lambda c: runs.insert_run(c, a_run(run_id)))
    await database.write(lambda c: put_key(c, remembered, run_id, at))


async def test_a_key_gives_back_what_was_stored_under_it(database: Database) -> None:
    await stored(database, "r1", KEY)
    found = await database.read(lambda c: get_key(c, "k1"))

    assert found is not None
    assert (found.digest, found.answer, found.run_id, found.created_at) == ("digest", KEY.answer, "r1", 5.0)
    assert await database.read(lambda c: get_key(c, "k2")) is None


async def test_a_key_is_one_run_s_only_and_goes_with_it(database: Database) -> None:
    await stored(database, "r1", KEY)
    with pytest.raises(KeyTakenError, match="'k1' was used by another submission"):
        await stored(database, "r2", KEY)

    await database.write(lambda c: runs.delete_run(c, "r1"))
    assert await database.read(lambda c: get_key(c, "k1")) is None


async def test_a_key_of_a_run_that_is_not_stored_is_refused(database: Database) -> None:
    with pytest.raises(StoreError):
        await database.write(lambda c: put_key(c, KEY, "r1", 1.0))


async def test_old_keys_are_forgotten(database: Database) -> None:
    await stored(database, "r1", KEY, at=5.0)
    await stored(database, "r2", Remembered("k2", "d", "a"), at=6.0)

    assert await database.write(lambda c: delete_keys_before(c, 6.0)) == 1
    assert await database.read(lambda c: get_key(c, "k2")) is not None


async def test_a_store_made_before_there_were_keys_opens_with_its_runs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"BEGIN;{MIGRATIONS[0]};PRAGMA user_version = 1;COMMIT;")
        runs.insert_run(connection, a_run("r1"))
        connection.commit()

    database = await Database.open(path)
    await database.write(lambda c: put_key(c, KEY, "r1", 1.0))
    found = await database.read(lambda c: runs.get_run(c, "r1"))
    await database.close()
    assert found == a_run("r1")


def test_an_intent_stored_before_callers_could_ask_is_read_as_sizing_s_own() -> None:
    old = (
        '{"reason": "underused_memory", "grace_s": 10, "batch_size": 128, "args": null, "edited": ["a", "b"]}'
    )
    intent = Codec(Intent).decode(old)

    assert (intent.reason, intent.supersedes, intent.relaunch) == (Reason.UNDERUSED_MEMORY, True, False)
