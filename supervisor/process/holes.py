"""Gives the head of a file back to the disk and moves nothing: the offset of what remains stays as it is.

What is punched out reads as zeros, so whoever punches says first how far, and readers ask before they show.
"""

import ctypes
import errno
import os
import tempfile
from pathlib import Path

_KEEP_SIZE = 0x01
_PUNCH_HOLE = 0x02
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})
_BLOCK = 4096

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def punch_head(descriptor: int, end: int) -> None:
    """Free the blocks before `end`, a multiple of `block_size`. The file is open for writing.

    May block, as every write may. Raises `OSError`; where the file system cannot do it, EOPNOTSUPP.
    """
    if _libc.fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, 0, end) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def block_size(descriptor: int) -> int:
    """What a hole is aligned to, in bytes."""
    return max(_BLOCK, os.fstat(descriptor).st_blksize)


def first_data(descriptor: int) -> int:
    """Where the file's data begins, behind a punched head; its size where it has none. Bytes."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_DATA)
    except OSError:
        return os.fstat(descriptor).st_size


def can_punch(directory: Path) -> bool:
    """Whether files in this directory can have holes, tried on one without a name; raises `OSError`."""
    with tempfile.TemporaryFile(dir=directory) as file:
        try:
            punch_head(file.fileno(), _BLOCK)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise
    return True
