"""The state directory: one daemon's own, held by a lock that dies with its holder."""

import fcntl
import os
from pathlib import Path

from supervisor.domain.run import Stage

DATABASE = "traind.db"
SNAPSHOT = "script.py"  # the exact script that an attempt ran, in its directory
SIZE_FILE = "size-file"  # the exact file beside the script that held the batch size
_STAGE_NAMES = {Stage.TRAINING: "attempt", Stage.FOLLOW_UP: "follow-up"}


class StateDirError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


class StateDir:
    """An open state directory. `database` is the store's file, `attempt_dir` where an attempt lives."""

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self.database = root / DATABASE
        self._lock: int | None = lock

    @classmethod
    def open(cls, root: Path) -> "StateDir":
        """Make the directory where needed and lock it; raises `StateDirError`."""
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = (
                f"state directory {root} cannot be written: {error.strerror}; choose another by --state-dir"
            )
            raise StateDirError(message) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            pid = _written(lock)
            os.close(lock)
            message = (
                f"state directory {root} is in use by process {pid}; "
                "stop that daemon, or choose another directory by --state-dir"
            )
            raise StateDirError(message) from error
        except OSError as error:
            os.close(lock)
            message = f"state directory {root} cannot be written: {error.strerror}; free space there"
            raise StateDirError(message) from error
        return cls(root, lock)

    def attempt_dir(self, run_id: str, stage: Stage, number: int) -> Path:
        """Where this attempt's records and log are; it need not exist yet."""
        return self.run_dir(run_id) / f"{_STAGE_NAMES[stage]}-{number}"

    def run_dir(self, run_id: str) -> Path:
        """Where all that is kept of this run is."""
        return self.root / "runs" / run_id

    def close(self) -> None:
        """Release the lock. May be called twice."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def holder(root: Path) -> str | None:
    """The pid of the daemon whose directory this is now, None where nobody holds it."""
    try:
        lock = os.open(root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(lock)
    finally:
        os.close(lock)
    return None


def _written(lock: int) -> str:
    return os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
