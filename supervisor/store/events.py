"""Rows of events: numbered upwards, a run each."""

import json
import math
from collections.abc import Sequence
from typing import Any

from supervisor.domain.events import Event
from supervisor.store.database import Connection


def insert_events(connection: Connection, run_id: str, events: Sequence[Event]) -> None:
    connection.executemany(
        "INSERT INTO events (run_id, number, at, type, attempt, data) VALUES (?, ?, ?, ?, ?, ?)",
        [(run_id, event.number, event.at, event.type, event.attempt, _json(event.data)) for event in events],
    )


def events_after(connection: Connection, run_id: str, after: int, limit: int) -> list[Event]:
    """At most `limit` events numbered beyond `after`, in order."""
    rows = connection.execute(
        "SELECT number, at, type, attempt, data FROM events WHERE run_id = ? AND number > ?"
        " ORDER BY number LIMIT ?",
        (run_id, after, limit),
    ).fetchall()
    return [Event(number, at, type_, attempt, json.loads(data)) for number, at, type_, attempt, data in rows]


def newest_of_types(connection: Connection, run_id: str, types: Sequence[str], limit: int) -> list[Event]:
    """Of each of these types at most the newest `limit`, all in order."""
    rows = connection.execute(
        "SELECT number, at, type, attempt, data FROM ("
        "SELECT *, row_number() OVER (PARTITION BY type ORDER BY number DESC) AS age FROM events"
        " WHERE run_id = ?1 AND type IN (SELECT value FROM json_each(?2))"
        ") WHERE age <= ?3 ORDER BY number",
        (run_id, json.dumps(list(types)), limit),
    ).fetchall()
    return [Event(number, at, type_, attempt, json.loads(data)) for number, at, type_, attempt, data in rows]


def last_number(connection: Connection, run_id: str) -> int:
    """The number of the run's newest event, 0 where there is none."""
    row = connection.execute("SELECT max(number) FROM events WHERE run_id = ?", (run_id,)).fetchone()
    return int(row[0] or 0)


def _json(data: dict[str, Any]) -> str:
    try:
        return json.dumps(data, allow_nan=False)
    except ValueError:
        return json.dumps(_standard(data), allow_nan=False)


def _standard(value: Any) -> Any:
    """Standard JSON knows no NaN or infinity: a diverged loss becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _standard(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_standard(item) for item in value]
    return value
