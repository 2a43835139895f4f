"""A damaged store is kept aside, and a new one is made of what can still be read in it.

The damaged file is linked to a name of its own and never written to. The new one is built beside it and
takes its place only when it is finished, so a daemon that is killed here begins again, or has only the
exchange left to do. Nothing is deleted but the second names of what was kept.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from supervisor.store.attempts import list_attempts
from supervisor.store.faults import StoreError, explained
from supervisor.store.opening import (
    APPLICATION_ID,
    beside,
    connect,
    exchange,
    finish_exchange,
    unchanged,
)
from supervisor.store.runs import get_run
from supervisor.store.schema import migrate

_KEPT = ("-wal", "-journal")  # with the file itself: what of it may not have been folded in yet
_EVENTS = 10_000  # of each run, the newest
_SAMPLES = 2_000_000  # of all runs together: the daemon must not take minutes to start

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Where the damaged file is kept, and how many rows of each table were brought over."""

    aside: Path
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of rows of runs. `key` is what orders them within a run."""

    name: str
    columns: str
    key: str
    most: int


_ATTEMPTS = _Table("attempts", "run_id, stage, number, position, outcome, body", "stage, number", 100_000)
_EVENT_ROWS = _Table("events", "run_id, number, at, type, attempt, data", "number", _EVENTS)
_SAMPLE_ROWS = _Table("samples", "run_id, at, attempt, used, others, total, utilization", "at", _SAMPLES)
_KEYS = _Table("idempotency_keys", "run_id, key, digest, created_at, answer", "key", 100_000)
_RUN_COLUMNS = "id, name, state, created_at, body"


def salvage(
    path: Path, now: float, known: Sequence[str], complete: Callable[[sqlite3.Connection], None]
) -> Salvaged:
    """Exchange the damaged store at `path` for a new one; `now` in Unix seconds names what is kept aside.

    `known` are ids of runs that may be in it, for where its own lists of them are broken. `complete` adds
    to the new store what is known from elsewhere. Raises `StoreError`.
    """
    building = beside(path, ".rebuilding")
    try:
        building.unlink(missing_ok=True)
        beside(building, "-journal").unlink(missing_ok=True)
        aside = _keep_aside(path, now)
        rows = _build(building, aside, known, complete)
        building.replace(exchange(path))
        finish_exchange(path)
    except OSError as error:
        message = f"{path} is damaged and cannot be kept aside: {error.strerror}; mend that"
        raise StoreError(message) from error
    except sqlite3.Error as error:
        message = f"{path} is damaged and {building} cannot be written: {explained(error)}"
        raise StoreError(message) from error
    return Salvaged(aside, rows)


def kept_aside(path: Path) -> list[Path]:
    """The damaged stores that were kept beside this one."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(item for item in found if not item.name.endswith(("-wal", "-shm", "-journal")))


def _keep_aside(path: Path, now: float) -> Path:
    for earlier in kept_aside(path):
        if earlier.samefile(path):
            return earlier
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside, count = beside(path, f".damaged-{stamp}"), 1
    while aside.exists():
        count += 1
        aside = beside(path, f".damaged-{stamp}.{count}")
    # The file last: with it under its name, all that belongs to it is there.
    for ending in (*_KEPT, ""):
        source = beside(path, ending)
        if source.exists():
            _link(source, beside(aside, ending))
    return aside


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _build(
    building: Path, aside: Path, known: Sequence[str], complete: Callable[[sqlite3.Connection], None]
) -> dict[str, int]:
    with closing(connect(building, create=True)) as target:
        target.execute("PRAGMA synchronous = FULL")
        migrate(target)
        target.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        target.execute("BEGIN IMMEDIATE")
        with unchanged(aside) as source:
            source.text_factory = lambda data: data.decode("utf-8", "replace")
            rows = _bring_over(source, target, known)
        complete(target)
        target.execute("COMMIT")
    return rows


def _bring_over(
    source: sqlite3.Connection, target: sqlite3.Connection, known: Sequence[str]
) -> dict[str, int]:
    kept = [run_id for run_id in _run_ids(source, known) if _bring_run(source, target, run_id)]
    rows = {"runs": len(kept)}
    for run_id in kept:
        _add(rows, "attempts", _bring_attempts(source, target, run_id))
        _add(rows, "events", _bring(source, target, _EVENT_ROWS, run_id, _EVENTS))
        _add(rows, "idempotency_keys", _bring(source, target, _KEYS, run_id, _KEYS.most))
    for run_id in _newest_first(target):
        left = _SAMPLES - rows.get("samples", 0)
        _add(rows, "samples", _bring(source, target, _SAMPLE_ROWS, run_id, left))
    return rows


def _run_ids(source: sqlite3.Connection, known: Sequence[str]) -> list[str]:
    """The ids that can be found, by every list of them that there is."""
    found = dict.fromkeys(known)
    for query in (
        "SELECT id FROM runs ORDER BY id",
        "SELECT id FROM runs ORDER BY id DESC",
        "SELECT id FROM runs INDEXED BY runs_by_state",
        "SELECT id FROM runs INDEXED BY runs_by_age",
    ):
        found |= dict.fromkeys(str(row[0]) for row in _readable(source, query))
    return list(found)


def _bring_run(source: sqlite3.Connection, target: sqlite3.Connection, run_id: str) -> bool:
    query = f"SELECT {_RUN_COLUMNS} FROM runs WHERE id = ?"  # noqa: S608 - ours
    rows = list(_readable(source, query, run_id))
    if not rows or not _insert(target, "runs", _RUN_COLUMNS, rows[0]):
        return False
    try:
        run = get_run(target, run_id)
    except ValidationError:
        run = None
    sound = run is not None and run.id == run_id and run.state == rows[0][2]
    if not sound:
        target.execute("DELETE FROM runs WHERE id = ?", (run_id,))
    return sound


def _bring_attempts(source: sqlite3.Connection, target: sqlite3.Connection, run_id: str) -> int:
    """The run's attempts, all or none: those that are missing are known from their directories."""
    found = _bring(source, target, _ATTEMPTS, run_id, _ATTEMPTS.most)
    try:
        list_attempts(target, run_id)
    except ValidationError:
        target.execute("DELETE FROM attempts WHERE run_id = ?", (run_id,))
        return 0
    return found


def _bring(
    source: sqlite3.Connection, target: sqlite3.Connection, table: _Table, run_id: str, most: int
) -> int:
    """A run's rows from both ends to where they break off, the newest first; the number of them."""
    number = 0
    query = f"SELECT {table.columns} FROM {table.name} WHERE run_id = ? ORDER BY"  # noqa: S608 - ours
    newest_first = ", ".join(f"{column} DESC" for column in table.key.split(", "))
    for order in (newest_first, table.key):
        for row in _readable(source, f"{query} {order} LIMIT {max(0, most - number)}", run_id):
            number += _insert(target, table.name, table.columns, row)
    return number


def _readable(source: sqlite3.Connection, query: str, *parameters: str) -> Iterator[Row]:
    """The rows of a query up to the one that cannot be read."""
    try:
        yield from source.execute(query, parameters)
    except sqlite3.DatabaseError:
        return


def _insert(target: sqlite3.Connection, table: str, columns: str, row: Row) -> bool:
    """Whether the row was taken: one there already, or with values of no sense, is not."""
    marks = ", ".join("?" * len(row))
    try:
        done = target.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", row)  # noqa: S608
    except sqlite3.IntegrityError:
        return False
    return done.rowcount == 1


def _newest_first(target: sqlite3.Connection) -> list[str]:
    rows = target.execute("SELECT id FROM runs ORDER BY json_extract(body, '$.ended_at') IS NULL DESC, id")
    return [row[0] for row in rows]


def _add(rows: dict[str, int], name: str, number: int) -> None:
    rows[name] = rows.get(name, 0) + number
