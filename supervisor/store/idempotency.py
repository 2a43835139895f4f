"""Rows of idempotency keys: which submission a key stood for, and what was answered."""

import sqlite3
from dataclasses import dataclass

from supervisor.store.database import Connection


class KeyTakenError(Exception):
    """Another submission was stored under this key first; read what it was answered."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A submission to be remembered: `digest` is of its body, `answer` the text that it was answered with."""

    key: str
    digest: str
    answer: str


@dataclass(frozen=True, slots=True)
class RememberedRun(Remembered):
    """A submission that is remembered, and the run that it became; `created_at` in Unix seconds."""

    run_id: str
    created_at: float


def put_key(connection: Connection, remembered: Remembered, run_id: str, created_at: float) -> None:
    """Store the key of a run that is stored; raises `KeyTakenError` where it is another run's."""
    try:
        connection.execute(
            "INSERT INTO idempotency_keys (key, digest, run_id, created_at, answer) VALUES (?, ?, ?, ?, ?)",
            (remembered.key, remembered.digest, run_id, created_at, remembered.answer),
        )
    except sqlite3.IntegrityError as error:
        if get_key(connection, remembered.key) is None:
            raise
        raise KeyTakenError(f"the key {remembered.key!r} was used by another submission") from error


def get_key(connection: Connection, key: str) -> RememberedRun | None:
    row = connection.execute(
        "SELECT key, digest, answer, run_id, created_at FROM idempotency_keys WHERE key = ?", (key,)
    ).fetchone()
    return RememberedRun(*row) if row else None


def delete_keys_before(connection: Connection, at: float) -> int:
    """Forget the keys stored before `at`, Unix seconds; the number of them."""
    return connection.execute("DELETE FROM idempotency_keys WHERE created_at < ?", (at,)).rowcount
