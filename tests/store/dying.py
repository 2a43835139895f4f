"""Processes that write to a store until they are killed, at a moment of others' choice or at a statement."""

import asyncio
import os
import signal
import sqlite3
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from supervisor.domain.events import Event
from supervisor.domain.run import Attempt, Run, RunSpec, RunState, Stage
from supervisor.store import opening
from supervisor.store.changes import Change, write_changes
from supervisor.store.database import Database
from supervisor.store.runs import get_run, insert_run

RUN = Run("r", RunSpec("/t.py", "/", "/python"), 1.0, RunState.RUNNING)
EVENTS = 3  # with each attempt
_AT_ONCE = 4  # changes that wait together, each in a savepoint of its own


def write_until_killed(path: Path, told: Pipe, die_at: int | None) -> None:
    """Put one attempt after another on record and tell each number once it is stored."""
    asyncio.run(_write(path, told, die_at))


def open_until_killed(path: Path, die_at: int) -> None:
    """Open the store and die before the statement of this number, where it comes to that."""
    real = opening.connect

    def connect(place: Path, *, create: bool = False) -> sqlite3.Connection:
        connection = real(place, create=create)
        connection.set_trace_callback(_Dying(die_at))
        return connection

    opening.connect = connect
    opening.prepare(path)


async def _write(path: Path, told: Pipe, die_at: int | None) -> None:
    database = await Database.open(path)
    run = await database.read(lambda connection: get_run(connection, RUN.id))
    if run is None:
        run = RUN
        await database.write(lambda connection: insert_run(connection, RUN))

    def begin(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_autocheckpoint = 8")
        if die_at is not None:
            connection.set_trace_callback(_Dying(die_at))

    await database.write(begin)
    number = run.attempt
    while True:
        writes = [_store(database, run, number + item, told) for item in range(1, _AT_ONCE + 1)]
        await asyncio.gather(*writes)
        number += _AT_ONCE


async def _store(database: Database, run: Run, number: int, told: Pipe) -> None:
    attempt = Attempt(Stage.TRAINING, number, 64, ("x" * 200,))
    first = (number - 1) * EVENTS + 1
    events = [Event(first + item, 1.0, "progress", number, {"n": number}) for item in range(EVENTS)]
    change = Change(replace(run, attempt=number), attempt, tuple(events))
    await database.write(lambda connection: write_changes(connection, [change]))
    told.send(number)


class _Dying:
    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, _: str) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
