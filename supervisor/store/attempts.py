"""Rows of attempts, in the order in which they were begun."""

from supervisor.domain.run import Attempt
from supervisor.store.database import Connection
from supervisor.store.encoding import Codec

_codec = Codec(Attempt)


def put_attempt(connection: Connection, run_id: str, attempt: Attempt) -> None:
    """Insert the attempt or bring it up to date."""
    connection.execute(
        "INSERT INTO attempts (run_id, stage, number, position, outcome, body)"
        " VALUES (?1, ?2, ?3, (SELECT count(*) FROM attempts WHERE run_id = ?1), ?4, ?5)"
        " ON CONFLICT (run_id, stage, number) DO UPDATE SET outcome = excluded.outcome, body = excluded.body",
        (run_id, attempt.stage, attempt.number, attempt.outcome, _codec.encode(attempt)),
    )


def list_attempts(connection: Connection, run_id: str) -> list[Attempt]:
    rows = connection.execute(
        "SELECT body FROM attempts WHERE run_id = ? ORDER BY position", (run_id,)
    ).fetchall()
    return [_codec.decode(row[0]) for row in rows]
