"""The watch of a growing file: no change is missed, however close it comes to the one before."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.process.inotify import Inotify
from supervisor.process.logfile import LogFollower

ROUNDS = 1500

# As an unbuffered `print` does it: the text and its line end are two writes, microseconds apart.
WRITER = """\
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for _ in range(int(sys.argv[2])):
    os.write(log, b"x")
    for _ in range(int(sys.argv[3])):
        pass
    os.write(log, b"\\n")
    if not os.read(0, 1):
        break
"""


@pytest.fixture
async def inotify() -> AsyncIterator[Inotify]:
    made = Inotify()
    yield made
    made.close()


@pytest.mark.parametrize("spins", [0, 300, 1500])
async def test_second_of_two_close_writes_is_never_missed(
    tmp_path: Path, inotify: Inotify, monkeypatch: pytest.MonkeyPatch, spins: int
) -> None:
    monkeypatch.setattr("supervisor.process.logfile.SPACING_S", 0)
    log = tmp_path / "output.log"
    log.touch()
    command = [sys.executable, "-c", WRITER, str(log), str(ROUNDS), str(spins)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as writer:
        assert writer.stdin is not None
        follower = LogFollower(inotify, log)
        seen = 0
        try:
            async with asyncio.timeout(30):
                async for _, chunk in follower:
                    for _ in range(chunk.count(b"\n")):
                        seen += 1
                        writer.stdin.write(b"+")
                    if seen == ROUNDS:
                        break
        finally:
            follower.close()
            writer.kill()
    assert seen == ROUNDS
