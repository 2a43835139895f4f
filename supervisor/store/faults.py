"""What may go wrong with the store, and what each of SQLite's errors asks of whoever runs the daemon."""

import sqlite3


class StoreError(Exception):
    """The store could not be read or written. A later try may succeed."""


class StoreCorruptError(Exception):
    """The store's file is damaged. Nothing of it was changed."""


class ForeignFileError(Exception):
    """The file in the store's place is another program's database. Nothing of it was changed."""


_FULL = "free space on the disk of the state directory"
_LOCKED = "another program holds the store's file locked: end its transaction"
_READ_ONLY = "its file or disk is read-only: make it writable, or choose another by --state-dir"
_FAILS = "the disk of the state directory is full or fails: free space, or see the kernel's log"
_GONE = "check that the state directory is there and that this user may write in it"
_DAMAGED = "its file is damaged: start the daemon again, which keeps it aside and saves what can be read"
_FIXES = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _FAILS,
    sqlite3.SQLITE_CANTOPEN: _GONE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_PASSING = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def explained(error: Exception) -> Exception:
    """The error as callers of the store know it: SQLite's become `StoreError`, any other stays."""
    if not isinstance(error, sqlite3.Error):
        return error
    fix = _FIXES.get(_code(error))
    wrapped = StoreError(f"the store cannot be used: {error}{f'; {fix}' if fix else ''}")
    wrapped.__cause__ = error
    return wrapped


def tells_of_damage(error: Exception) -> bool:
    """Whether the file itself is broken, so that no later try will do."""
    return isinstance(error, sqlite3.Error) and _code(error) in _DAMAGE


def leaves_connection_sound(error: Exception) -> bool:
    """Whether the connection may be used on: the disk was full, or somebody else was writing."""
    return isinstance(error, sqlite3.Error) and _code(error) in _PASSING


def _code(error: sqlite3.Error) -> int:
    """The primary code; 0 for an error of Python's own module, which has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
