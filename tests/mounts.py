"""Commands that see a file system of their own: full disks and odd ones, without harm to the machine's."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache

import pytest

# The last argument of the command is where it is mounted; nothing outside the command sees it.
_SHELL = 'mount -t "$1" -o "$2" "$1" /mnt && shift 2 && exec "$@" /mnt'


def mounted(kind: str, options: str, command: Sequence[str]) -> list[str]:
    """A command line that runs `command` with a new file system's directory as one more argument."""
    if not _can_mount():
        pytest.skip("needs unshare and user namespaces to mount a file system")
    return [*_UNSHARE, "sh", "-c", _SHELL, "sh", kind, options, *command]


_UNSHARE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")


@cache
def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*_UNSHARE, "sh", "-c", _SHELL, "sh", "tmpfs", "size=1m", "test", "-d"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
