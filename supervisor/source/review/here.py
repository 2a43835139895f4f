"""The thin edge of the review: this machine, and a script on disk."""

import os
from collections.abc import Sequence
from pathlib import Path

from supervisor.domain.review import Kind
from supervisor.source.collecting import no_collecting
from supervisor.source.file import read_script
from supervisor.source.review.finding import Machine, Review
from supervisor.source.review.reviewer import review

_SHM = "/dev/shm"  # noqa: S108 - measured, nothing is written there


def this_machine() -> Machine:
    """The cores that this process may use, and the size of /dev/shm; None where there is none."""
    try:
        status = os.statvfs(_SHM)
    except OSError:
        shm_bytes = None
    else:
        shm_bytes = status.f_blocks * status.f_frsize
    return Machine(max(len(os.sched_getaffinity(0)), 1), shm_bytes)


def review_file(path: Path, kind: Kind | None = None, args: Sequence[str] = ()) -> Review:
    """Review the script at `path` for this machine; raises `ScriptReadError` where it cannot be read."""
    return review_here(read_script(path).data, kind, args)


def review_here(script: bytes, kind: Kind | None = None, args: Sequence[str] = ()) -> Review:
    """Review the bytes of a script for this machine."""
    with no_collecting():
        return review(script, kind=kind, machine=this_machine(), args=args)
