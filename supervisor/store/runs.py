"""Rows of runs. What is searched or sorted by has a column; the whole run is JSON in `body`."""

from collections.abc import Collection

from supervisor.domain.run import Run, RunState
from supervisor.store.database import Connection
from supervisor.store.encoding import Codec

_codec = Codec(Run)
_UNFINISHED = tuple(state for state in RunState if not state.ended)
_ENDED = tuple(state for state in RunState if state.ended)


def insert_run(connection: Connection, run: Run) -> None:
    connection.execute(
        "INSERT INTO runs (id, name, state, created_at, body) VALUES (?, ?, ?, ?, ?)",
        (run.id, run.spec.name, run.state, run.created_at, _codec.encode(run)),
    )


def update_run(connection: Connection, run: Run) -> None:
    connection.execute(
        "UPDATE runs SET state = ?, body = ? WHERE id = ?", (run.state, _codec.encode(run), run.id)
    )


def get_run(connection: Connection, run_id: str) -> Run | None:
    row = connection.execute("SELECT body FROM runs WHERE id = ?", (run_id,)).fetchone()
    return _codec.decode(row[0]) if row else None


def find_runs(connection: Connection, reference: str) -> list[str]:
    """Ids that a caller may mean: exactly this id, else the newest of this name, else those it begins.

    `latest` is the newest run. Several ids come back only for an ambiguous prefix.
    """
    if reference == "latest":
        row = connection.execute("SELECT id FROM runs ORDER BY created_at DESC, id DESC LIMIT 1").fetchone()
        return [row[0]] if row else []
    for query in (
        "SELECT id FROM runs WHERE id = ?",
        "SELECT id FROM runs WHERE name = ? ORDER BY created_at DESC LIMIT 1",
    ):
        row = connection.execute(query, (reference,)).fetchone()
        if row:
            return [row[0]]
    if not reference:
        return []
    rows = connection.execute(
        "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT 20",
        (reference, reference + "\U0010ffff"),
    ).fetchall()
    return [row[0] for row in rows]


def list_runs(
    connection: Connection,
    states: Collection[RunState] | None,
    limit: int,
    before: tuple[float, str] | None = None,
) -> list[Run]:
    """Runs newest first, from below `before` (creation time, id), at most `limit`."""
    at, run_id = before if before is not None else (float("inf"), "")
    if states is None:
        rows = connection.execute(
            "SELECT body FROM runs WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?",
            (at, run_id, limit),
        ).fetchall()
        return [_codec.decode(row[0]) for row in rows]
    # A query a state keeps each on its index; the few that come back are merged here.
    found: list[Run] = []
    for state in set(states):
        rows = connection.execute(
            "SELECT body FROM runs WHERE state = ? AND (created_at, id) < (?, ?)"
            " ORDER BY created_at DESC, id DESC LIMIT ?",
            (state, at, run_id, limit),
        ).fetchall()
        found += [_codec.decode(row[0]) for row in rows]
    return sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)[:limit]


def count_by_state(connection: Connection) -> dict[RunState, int]:
    """How many runs are in each state; states without any are left out."""
    rows = connection.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall()
    return {RunState(state): count for state, count in rows}


def unfinished_ids(connection: Connection) -> list[str]:
    """The ids of runs that have not ended, oldest first: the order of the queue."""
    marks = ", ".join("?" * len(_UNFINISHED))
    query = f"SELECT id FROM runs WHERE state IN ({marks}) ORDER BY created_at, id"  # noqa: S608 - marks
    return [row[0] for row in connection.execute(query, _UNFINISHED)]


def ended_runs(connection: Connection) -> list[tuple[str, float]]:
    """The ids of runs that have ended, and when they did, in Unix seconds; the longest ago first."""
    marks = ", ".join("?" * len(_ENDED))
    return connection.execute(
        "SELECT id, coalesce(json_extract(body, '$.ended_at'), created_at) AS ended FROM runs"  # noqa: S608 - marks
        f" WHERE state IN ({marks}) ORDER BY ended, id",
        _ENDED,
    ).fetchall()


def delete_run(connection: Connection, run_id: str) -> None:
    """Delete the run and, by the foreign keys, all rows that are its."""
    connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
