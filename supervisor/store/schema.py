"""The schema and how older ones become it. A released migration is never edited."""

import sqlite3

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT,
        state TEXT NOT NULL,
        created_at REAL NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX runs_by_age ON runs (created_at DESC, id DESC);
    CREATE INDEX runs_by_name ON runs (name, created_at DESC) WHERE name IS NOT NULL;
    CREATE INDEX runs_by_state ON runs (state, created_at DESC, id DESC);

    CREATE TABLE attempts (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        stage TEXT NOT NULL,
        number INTEGER NOT NULL,
        position INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (run_id, stage, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE events (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        at REAL NOT NULL,
        type TEXT NOT NULL,
        attempt INTEGER,
        data TEXT NOT NULL,
        PRIMARY KEY (run_id, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE samples (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        at REAL NOT NULL,
        attempt INTEGER NOT NULL,
        used INTEGER,
        others INTEGER,
        total INTEGER,
        utilization REAL,
        PRIMARY KEY (run_id, at)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE idempotency_keys (
        key TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        created_at REAL NOT NULL,
        answer TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_keys_by_run ON idempotency_keys (run_id);
    """,
)


class SchemaTooNewError(Exception):
    """The store was written by a newer traind."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the store has schema {version} and this traind knows {len(MIGRATIONS)}: "
            "install the newer traind again, or choose another state directory"
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the store to the newest schema, each step in a transaction; raises `SchemaTooNewError`."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise SchemaTooNewError(version)
    for number in range(version, len(MIGRATIONS)):
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[number]};PRAGMA user_version = {number + 1};COMMIT;"
        )
