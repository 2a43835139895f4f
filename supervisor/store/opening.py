"""The store's file before its first use: looked at without a change, then made ready or refused."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from supervisor.store.faults import (
    ForeignFileError,
    StoreCorruptError,
    StoreError,
    explained,
    tells_of_damage,
)
from supervisor.store.schema import MIGRATIONS, SchemaTooNewError, migrate

APPLICATION_ID = int.from_bytes(b"trnd", "big")  # in the file's header: a store of traind
SIDE_FILES = ("-wal", "-shm", "-journal")

_BUSY_S = 10.0
_CHECK_S = 0.25  # of looking for damage at each start; a store that gave an error is looked through
_STEPS = 20_000  # of SQLite's machine between two looks at the clock
_OURS = frozenset({"runs", "attempts", "events", "samples"})


def prepare(path: Path) -> None:
    """Make the store where there is none, and bring it to the newest schema.

    Raises `StoreCorruptError`, `ForeignFileError`, `SchemaTooNewError` and `StoreError`.
    """
    finish_exchange(path)
    try:
        _examine(path)
        with closing(connect(path, create=True)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
            if _pragma(connection, "application_id") != APPLICATION_ID:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            # A file that cannot be written opens without a word, and fails at the first write.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if tells_of_damage(error):
            raise _corrupt(path, str(error)) from error
        raise StoreError(f"{path}: {explained(error)}") from error
    suspect(path).unlink(missing_ok=True)


def look(path: Path) -> str | None:
    """What is wrong with the store, None where nothing is found at once; changes nothing."""
    try:
        _examine(path)
    except (StoreCorruptError, ForeignFileError, SchemaTooNewError) as error:
        return str(error)
    except sqlite3.Error as error:
        return str(_corrupt(path, str(error)) if tells_of_damage(error) else f"{path}: {explained(error)}")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection for use; unless `create`, the file must be there."""
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def unchanged(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file, its log included, and changes neither by a byte."""
    index = beside(path, "-shm")
    had_index = index.exists()
    # A file that nobody uses and that has no log is read as it is: else SQLite would make an empty log.
    used = had_index or _size(beside(path, "-wal")) > 0
    mode = "mode=ro" if used else "immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
        if used and not had_index:
            index.unlink(missing_ok=True)


def file_identity(path: Path) -> tuple[int, int] | None:
    """Which file is there: its device and inode, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def suspect(path: Path) -> Path:
    """The mark that says: this store gave an error of damage; the next start looks through all of it."""
    return beside(path, ".suspect")


def exchange(path: Path) -> Path:
    """Where a finished store waits to take the place of a damaged one."""
    return beside(path, ".rebuilt")


def finish_exchange(path: Path) -> None:
    """Put a rebuilt store in its place, where one waits. May be cut short at any moment and called again.

    What belongs to the old file goes first: SQLite would write a left-over log into the new one.
    """
    rebuilt = exchange(path)
    if not rebuilt.exists():
        return
    try:
        for ending in SIDE_FILES:
            beside(path, ending).unlink(missing_ok=True)
        rebuilt.replace(path)
    except OSError as error:
        raise StoreError(f"{rebuilt} cannot take the place of {path}: {error.strerror}") from error


def _examine(path: Path) -> None:
    """Raises where this is no store that can be used; the file is left as it is."""
    if not _size(path):
        if _size(beside(path, "-wal")):
            raise _corrupt(path, "it is empty and its log is not")
        return
    with unchanged(path) as connection:
        application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = {row[0] for row in rows}
        if application not in {0, APPLICATION_ID} or (
            application == 0 and tables and (version == 0 or not tables >= _OURS)
        ):
            message = f"{path} is another program's database: choose another place by --state-dir"
            raise ForeignFileError(message)
        if version > len(MIGRATIONS):
            raise SchemaTooNewError(version)
        if version and not tables >= _OURS:
            raise _corrupt(path, f"tables are missing: {', '.join(sorted(_OURS - tables))}")
        found = _damage(connection, None if suspect(path).exists() else _CHECK_S)
    if found is not None:
        raise _corrupt(path, found)


def _damage(connection: sqlite3.Connection, limit_s: float | None) -> str | None:
    """What is broken, as far as it is found within `limit_s` seconds; None looks to the end."""
    if limit_s is not None:
        until = time.monotonic() + limit_s
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        connection.set_progress_handler(None, 0)
    return None if found == "ok" else " ".join(found.split())


def _corrupt(path: Path, why: str) -> StoreCorruptError:
    return StoreCorruptError(f"{path} is damaged: {why}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
