"""A script on disk: read whole, replaced whole or not at all.

Replacing is compare-and-swap: written beside, synced, compared with what is expected to stand there,
renamed. A crash leaves the old script or the new one. What it does not do: two writers that rename
within the same few microseconds after their comparison can still pass each other. A hard link of the
script keeps the old content, since the name gets a new file.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LARGEST = 16 * 2**20


class ScriptError(Exception):
    """A script cannot be read or replaced; the message says which, why, and what to do."""


class ScriptChangedError(ScriptError):
    """The script on disk is not the one that was expected there."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script's bytes and where they stand, symbolic links resolved."""

    path: Path
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hex."""
        return hashlib.sha256(self.data).hexdigest()


def read_script(path: Path) -> Script:
    """The script at `path`; raises `ScriptError`."""
    try:
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ScriptError(f"{path} is {_kind(mode)}, not a script; send the path of a Python file")
        if real.stat().st_size > LARGEST:
            raise ScriptError(f"{path} is larger than {LARGEST // 2**20} MiB; that is hardly a script")
        return Script(real, real.read_bytes())
    except FileNotFoundError as error:
        raise ScriptError(f"there is no script {path}; check the path") from error
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScriptError(f"{path} cannot be read: {reason}") from error


def replace_script(path: Path, expected_digest: str, new: bytes) -> None:
    """Put `new` in place of the script with `expected_digest`.

    Mode, owner and symbolic links stay. A script that already is `new` is a success. Raises
    `ScriptChangedError` where something else stands there, `ScriptError` where it cannot be written.
    """
    current = read_script(path)
    if current.data == new:
        return
    _compare(path, current, expected_digest)
    beside: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{current.path.name}.", dir=current.path.parent)
        beside = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            _copy_metadata(current.path, beside)
            os.fsync(file.fileno())
        # Once more at the last moment: writing and syncing took a while.
        _compare(path, read_script(path), expected_digest)
        beside.replace(current.path)
        beside = None
        _sync_directory(current.path.parent)
    except OSError as error:
        message = f"{path} cannot be replaced: {error.strerror}; make its directory writable, with free space"
        raise ScriptError(message) from error
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink()


def _compare(path: Path, current: Script, expected_digest: str) -> None:
    if current.digest != expected_digest:
        raise ScriptChangedError(f"{path} was changed by someone else, so it is left as it is")


def _copy_metadata(source: Path, target: Path) -> None:
    found = source.stat()
    with suppress(PermissionError):  # only root may give a file away
        os.chown(target, found.st_uid, found.st_gid)
    shutil.copymode(source, target)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
