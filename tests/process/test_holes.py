"""Holes in files: the head goes back to the disk, and nothing else changes."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process.holes import block_size, can_punch, first_data, punch_head
from tests.mounts import mounted

MIB = 2**20


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "log"
    path.write_bytes(b"x" * MIB)
    opened = os.open(path, os.O_RDWR)
    yield opened
    os.close(opened)


def test_the_head_is_given_back_and_offsets_stay(descriptor: int) -> None:
    before = os.fstat(descriptor).st_blocks
    punch_head(descriptor, MIB // 2)
    found = os.fstat(descriptor)
    assert found.st_size == MIB
    assert found.st_blocks <= before // 2 + 16
    assert os.pread(descriptor, MIB, MIB // 2) == b"x" * (MIB // 2)
    assert os.pread(descriptor, 1, MIB // 2 - 1) == b"\0"


def test_data_begins_behind_the_hole(descriptor: int) -> None:
    assert first_data(descriptor) == 0
    punch_head(descriptor, MIB // 2)
    assert first_data(descriptor) == MIB // 2
    os.ftruncate(descriptor, MIB // 4)
    assert first_data(descriptor) == MIB // 4


def test_a_block_is_what_holes_are_made_of(descriptor: int) -> None:
    block = block_size(descriptor)
    punch_head(descriptor, block)
    assert first_data(descriptor) == block


def test_a_file_that_may_not_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x")
    opened = os.open(tmp_path / "log", os.O_RDONLY)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        punch_head(opened, 4096)
    os.close(opened)


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    assert can_punch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        can_punch(tmp_path / "none")


def test_a_file_system_without_holes_is_told_from_one_with() -> None:
    code = "import sys, pathlib, supervisor.process.holes as h; print(h.can_punch(pathlib.Path(sys.argv[1])))"
    for kind, expected in (("ramfs", "False"), ("tmpfs", "True")):
        command = mounted(kind, "mode=0700", [sys.executable, "-c", code])
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
