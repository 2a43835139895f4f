"""A script on disk: read whole, and replaced atomically if it is still the one that was read.

It solves torn and lost updates: a reader, or a crash at any moment, finds the old script or the new one,
and of two writers that began with the same script one is told that it changed. A program that ignores
the lock and writes in the instant between the last comparison and the rename is not seen.
A rename gives the name to a new file: another hard link to the old one keeps the old text.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_SCRIPT_BYTES = 16 * 1024 * 1024
LOCK_TIMEOUT_S = 10.0
_LOCK_RETRY_S = 0.02
_CHUNK = 1024 * 1024
_TEMPORARY = ".traind-"
# What a file system answers that has no such lock: the comparison of digests must do there.
_NO_LOCKS = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
_ADVICE = {
    errno.EACCES: "let the daemon's user write to the folder",
    errno.EPERM: "let the daemon's user write to the folder",
    errno.EROFS: "move the script to a file system that is not read-only",
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some disk space or raise the quota",
    errno.EFBIG: "raise the file size limit (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


class ScriptError(Exception):
    """Something about a script on disk; the message names it and says what to do."""


class ScriptReadError(ScriptError):
    """The script cannot be read."""


class ScriptChanged(ScriptError):  # noqa: N818 - what happened is the script's doing, not a fault
    """The script on disk is not the one that the change was made for, and was left alone."""


class ScriptWriteError(ScriptError):
    """The new text could not be written; the old one stands."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it stood when read; `path` is absolute, with its symbolic links resolved."""

    path: Path
    data: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def read_script(path: Path) -> Script:
    """Read a regular file of at most 16 MiB, never waiting on a pipe or device; raises `ScriptReadError`."""
    target = _resolve(path)
    data = _read(target.name, target, None)
    return Script(target, data)


def replace_script(
    path: Path, expected_digest: str, new: bytes, *, lock_timeout_s: float = LOCK_TIMEOUT_S
) -> None:
    """Put `new` in the place of the script whose digest is expected, keeping mode, owner and attributes.

    A symbolic link stays, its target is replaced. A script that holds `new` already is a success, so the
    call may be repeated. Raises `ScriptChanged` where it holds anything else than what was expected,
    `ScriptReadError`, and `ScriptWriteError` with the old text untouched. No temporary file is left; the
    one of a process that was killed goes with the next call, such as the one that finishes its edit.
    """
    target = _resolve(path)
    with _opened_folder(target) as folder, _locked(folder, target, lock_timeout_s) as alone:
        if alone:
            _remove_leftovers(folder)
        if not _still_expected(target, folder, expected_digest, new):
            return
        temporary = f"{_TEMPORARY}{secrets.token_hex(8)}.tmp"
        try:
            _write(temporary, folder, target, new)
            if _still_expected(target, folder, expected_digest, new):
                os.rename(temporary, target.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            raise _write_error(target, error) from error
        finally:
            # After the rename there is none, and nothing else may take the failure's place.
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
        # The new text stands already; an error now would say that it does not.
        with contextlib.suppress(OSError):
            os.fsync(folder)


def _resolve(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError) as error:
        raise _read_error(path, error) from error


def _read(name: str, target: Path, folder: int | None) -> bytes:
    """The bytes of a regular file, by name in an open folder or by its whole path."""
    where = target if folder is None else name
    try:
        _require_regular(target, os.stat(where, dir_fd=folder, follow_symlinks=False))
        # Should it become a pipe at this moment, O_NONBLOCK keeps the open from waiting for a writer.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
        descriptor = os.open(where, flags, dir_fd=folder)
        try:
            _require_regular(target, os.fstat(descriptor))
            data = _read_all(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _read_error(target, error) from error
    if len(data) > MAX_SCRIPT_BYTES:
        raise ScriptReadError(
            f"{target} is larger than {MAX_SCRIPT_BYTES} bytes; is it the training script? Give its path"
        )
    return data


def _read_all(descriptor: int) -> bytes:
    parts, length = [], 0
    while length <= MAX_SCRIPT_BYTES and (part := os.read(descriptor, _CHUNK)):
        parts.append(part)
        length += len(part)
    return b"".join(parts)


def _require_regular(target: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise ScriptReadError(f"{target} is a folder; give the path of the script in it")
    if not stat.S_ISREG(status.st_mode):
        raise ScriptReadError(f"{target} is not a regular file; give the path of a script")


@contextlib.contextmanager
def _opened_folder(target: Path) -> Iterator[int]:
    try:
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _write_error(target, error) from error
    try:
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def _locked(folder: int, target: Path, timeout_s: float) -> Iterator[bool]:
    """Hold the folder's lock: the file's own would go with the file at the rename. False: there is none."""
    alone = True
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise ScriptWriteError(
                    f"{target} was not changed: another program has held the lock of its folder for "
                    f"{timeout_s:g} s; end that program or try again"
                ) from error
            time.sleep(_LOCK_RETRY_S)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise _write_error(target, error) from error
            alone = False
            break
    # Closing the folder lets go of it.
    yield alone


def _remove_leftovers(folder: int) -> None:
    """Whoever holds the lock is the only one that writes: what lies there is a killed writer's."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(_TEMPORARY) and name.endswith(".tmp"):
                os.unlink(name, dir_fd=folder)


def _still_expected(target: Path, folder: int, expected_digest: str, new: bytes) -> bool:
    """Whether the expected script stands there; False where the new one does; else raises."""
    data = _read(target.name, target, folder)
    if data == new:
        return False
    if hashlib.sha256(data).hexdigest() != expected_digest:
        raise ScriptChanged(
            f"{target} was changed by someone else since it was read; it was left as it is, read it again"
        )
    return True


def _write(temporary: str, folder: int, target: Path, new: bytes) -> None:
    """Write a complete copy beside the target and see it on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    old = os.open(target.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=folder)
    try:
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            view = memoryview(new)
            while view:
                view = view[os.write(descriptor, view) :]
            _copy_status(old, descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    finally:
        os.close(old)


def _copy_status(old: int, new: int) -> None:
    status = os.fstat(old)
    # Another owner's file stays editable by us alone if we may not give it away: better than no edit.
    with contextlib.suppress(PermissionError):
        os.fchown(new, status.st_uid, status.st_gid)
    # After the owner, since giving a file away clears its set-user-id bits.
    os.fchmod(new, stat.S_IMODE(status.st_mode))
    with contextlib.suppress(OSError):
        names = os.listxattr(old)
        for name in names:
            # Some namespaces are the kernel's own; the rest are worth having.
            with contextlib.suppress(OSError):
                os.setxattr(new, name, os.getxattr(old, name))


def _read_error(path: Path, error: OSError | ValueError) -> ScriptReadError:
    advice = {
        errno.ENOENT: "give the path of a script that exists",
        errno.ENOTDIR: "give the path of a script that exists",
        errno.EACCES: "let the daemon's user read it",
        errno.ELOOP: "mend its symbolic links",
    }
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    number = error.errno if isinstance(error, OSError) else None
    return ScriptReadError(f"{path!s} cannot be read ({reason}); {advice.get(number or 0, 'check the path')}")


def _write_error(target: Path, error: OSError) -> ScriptWriteError:
    advice = _ADVICE.get(error.errno or 0, "check the folder and its file system")
    return ScriptWriteError(f"{target} was not changed ({error.strerror or error}); {advice}")
