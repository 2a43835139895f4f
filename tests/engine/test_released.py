"""A store of each released schema opens, keeps its rows, and its unfinished runs come to their ends."""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.domain.run import AttemptOutcome, Intent, Reason, RunState, Stage
from supervisor.engine.config import RetentionPolicy
from supervisor.store.database import Database
from supervisor.store.idempotency import get_key
from supervisor.store.opening import APPLICATION_ID
from supervisor.store.schema import MIGRATIONS
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended

RELEASED = Path(__file__).parent.parent / "store" / "released"
DONE, GOING, WAITING = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
TRAIN = "import sys; open('launches', 'a').write(sys.argv[1] + ' ')\n"
VERSIONS = range(1, len(MIGRATIONS) + 1)


def test_every_schema_that_was_released_is_checked_in() -> None:
    """A new migration needs `released/schema-N.sql`: a store as this version writes it, dumped as text."""
    assert {path.name for path in RELEASED.iterdir()} == {f"schema-{version}.sql" for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_store_of_a_released_schema_opens_and_finishes(
    version: int, open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    script(TRAIN)
    (tmp_path / "python").symlink_to(sys.executable)
    dump = (RELEASED / f"schema-{version}.sql").read_text().replace("/released/", f"{tmp_path}/")
    dump = dump.replace('"/released"', f'"{tmp_path}"')
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "traind.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)
        before = rows(connection)

    database = await Database.open(path)
    key = await database.read(lambda connection: get_key(connection, "key"))
    await database.close()
    async with open_here(retention=RetentionPolicy(max_age_s=0)) as engine:
        going, waiting = await ended(engine, GOING), await ended(engine, WAITING)
        done = await engine.find(DONE)
        attempts = await engine.attempts(DONE)
        samples = await engine.samples(DONE, 10)
    with closing(sqlite3.connect(path)) as connection:
        after = rows(connection)
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        schema = connection.execute("PRAGMA user_version").fetchone()[0]

    assert (going.state, waiting.state) == (RunState.SUCCEEDED, RunState.SUCCEEDED)
    assert sorted((tmp_path / "launches").read_text().split()) == ["going", "waiting"]
    assert (done.state, done.reason, done.spec.name, done.batch_size) == (
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "kaggle",
        128,
    )
    assert [(attempt.stage, attempt.number, attempt.outcome) for attempt in attempts] == [
        (Stage.TRAINING, 1, AttemptOutcome.SUPERSEDED),
        (Stage.TRAINING, 2, AttemptOutcome.COMPLETED),
        (Stage.FOLLOW_UP, 1, AttemptOutcome.COMPLETED),
    ]
    assert attempts[0].intent == Intent(Reason.UNDERUSED_MEMORY, 10.0, 128, None, ("d1", "d2"))
    assert [(row.used, row.total) for row in samples] == [(2**30, 2**32), (None, None)]
    assert (key is not None) == (version >= 2)
    assert before <= after
    assert (schema, application) == (len(MIGRATIONS), APPLICATION_ID)


def rows(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    """All that is told of the run that has ended, and every event."""
    found: set[tuple[object, ...]] = set()
    for query in (
        f"SELECT * FROM runs WHERE id = '{DONE}'",  # noqa: S608 - a constant
        f"SELECT * FROM attempts WHERE run_id = '{DONE}'",  # noqa: S608 - likewise
        "SELECT * FROM events",
        "SELECT * FROM samples",
    ):
        found |= set(connection.execute(query).fetchall())
    return found
