"""A small disk of a test's own: a tmpfs in a mount namespace that a process enters and that ends with it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

_RUN = (
    "import sys; from importlib import import_module as m; getattr(m(sys.argv[1]), sys.argv[2])(sys.argv[3])"
)
_LIMIT_S = 100


def on_small_disk(scenario: Callable[[str], None], place: Path, size: str) -> None:
    """Call `scenario`, a function of a module, with `place` in a process that has a disk of `size` there."""
    if not _namespaces():
        pytest.skip("this machine lets nobody make a mount namespace (unshare -rm)")
    place.mkdir(parents=True, exist_ok=True)
    mount = f'mount -t tmpfs -o size={size},mode=700 tmpfs "$1" && shift && exec "$@"'
    call = [sys.executable, "-c", _RUN, scenario.__module__, scenario.__name__, str(place)]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", str(place), *call],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fill(directory: Path) -> Path:
    """Take all that is left of the disk; the file that holds it."""
    path = directory / "filling"
    with path.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            while _written(file.fileno(), size):
                pass
    return path


def _written(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, b"x" * size) == size
    except OSError:
        return False


@cache
def _namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
