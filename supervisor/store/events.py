"""Rows of events: numbered from 1 without gaps, a run each."""

import json
import math
from collections.abc import Sequence
from typing import Any

from supervisor.domain.events import Event, EventBody, data_of
from supervisor.store.database import Connection


def append_events(
    connection: Connection, run_id: str, bodies: Sequence[tuple[float, int | None, EventBody]]
) -> list[Event]:
    """Add (time, attempt, body) in order behind the run's last event."""
    if not bodies:
        return []
    number = last_number(connection, run_id)
    events = [
        Event(number + index, at, body.type, attempt, _standard(data_of(body)))
        for index, (at, attempt, body) in enumerate(bodies, 1)
    ]
    connection.executemany(
        "INSERT INTO events (run_id, number, at, type, attempt, data) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                run_id,
                event.number,
                event.at,
                event.type,
                event.attempt,
                json.dumps(event.data, allow_nan=False),
            )
            for event in events
        ],
    )
    return events


def events_after(connection: Connection, run_id: str, after: int, limit: int) -> list[Event]:
    rows = connection.execute(
        "SELECT number, at, type, attempt, data FROM events WHERE run_id = ? AND number > ?"
        " ORDER BY number LIMIT ?",
        (run_id, after, limit),
    ).fetchall()
    return [Event(number, at, type_, attempt, json.loads(data)) for number, at, type_, attempt, data in rows]


def last_number(connection: Connection, run_id: str) -> int:
    """The number of the run's newest event, 0 where there is none."""
    row = connection.execute("SELECT max(number) FROM events WHERE run_id = ?", (run_id,)).fetchone()
    return int(row[0] or 0)


def _standard(value: Any) -> Any:
    """Standard JSON knows no NaN or infinity: a diverged loss becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _standard(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_standard(item) for item in value]
    return value
