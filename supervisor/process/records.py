"""The files of an attempt's directory: records that are whole or not there, the lock, the log made durable.

On the standard library alone, and little of it: the shim lives with what this imports.
"""

import errno
import fcntl
import json
import os

from supervisor.process.procfs import read_process

Record = dict[str, object]

RESERVED_BYTES = 16 * 1024  # more than any record of an end needs


def write_record(directory: str, name: str, record: Record) -> None:
    """A file that is there whole or not at all, also after a crash; mode 0600. Raises `OSError`."""
    beside = os.path.join(directory, f"{name}.{os.getpid()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    _put_in_place(descriptor, directory, beside, name, record)


def reserve_record(directory: str, name: str) -> str:
    """Take the space on disk that a record will need; the path for `write_reserved`. Raises `OSError`."""
    path = os.path.join(directory, f"{name}.reserved")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, RESERVED_BYTES)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)
    return path


def write_reserved(directory: str, reserved: str, name: str, record: Record) -> None:
    """`write_record` into space that was reserved, so that it succeeds on a full disk. Raises `OSError`."""
    descriptor = os.open(reserved, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _put_in_place(descriptor, directory, reserved, name, record)


def _put_in_place(descriptor: int, directory: str, beside: str, name: str, record: Record) -> None:
    try:
        try:
            data = json.dumps(record).encode()
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
            os.ftruncate(descriptor, len(data))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(beside, os.path.join(directory, name))
    except OSError:
        # What was reserved stays so: another try needs it.
        if beside.endswith(".tmp") and os.path.exists(beside):
            os.unlink(beside)
        raise
    sync_directory(directory)


def sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_record(directory: str, name: str) -> Record | None:
    """A record, or None where there is none. Raises `ValueError` for one that is not ours."""
    try:
        with open(os.path.join(directory, name), "rb") as file:
            record = json.loads(file.read())
    except FileNotFoundError:
        return None
    if not isinstance(record, dict):
        raise ValueError(f"{directory}/{name} does not hold a record")  # noqa: TRY004 - of the file, not the call
    return record


def take_lock(directory: str) -> int | None:
    """The lock's descriptor, to be kept open for life; None where another shim holds it.

    The file tells who holds it, for people and for ending a shim that hangs before its start is recorded.
    """
    descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    own = read_process(os.getpid())
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, b"%d %d\n" % (os.getpid(), own.start_ticks if own is not None else 0))
    except OSError:
        pass  # a full disk: the lock holds without it
    return descriptor


def is_locked(directory: str) -> bool:
    """Whether a shim lives in this directory."""
    try:
        descriptor = os.open(os.path.join(directory, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock_holder(directory: str) -> tuple[int, int] | None:
    """Pid and start ticks of the shim that took the lock last, or None where that is not known."""
    try:
        with open(os.path.join(directory, "lock"), "rb") as file:
            pid, ticks = file.read(64).split()
            return int(pid), int(ticks)
    except (OSError, ValueError):
        return None


def sync_log(path: str) -> int:
    """Make the log durable; its size in bytes, and 0 where it is gone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    except OSError:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
