"""Launches that hang, are cancelled, or are many: none is made twice, unknown, or leaves anything open."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from supervisor.process import attempt as attempts
from supervisor.process.attempt import AttemptProcess, LaunchSpec, NeverStarted, StartUnknownError
from supervisor.process.procfs import children_of, scan_processes
from supervisor.process.records import is_locked
from supervisor.process.tree import running
from tests.daemon import eventually
from tests.process.scripts import ENV

HOLDS = """
import os, sys, time
from supervisor.process.records import take_lock
lock = take_lock(sys.argv[1])
if len(sys.argv) > 2:
    os.truncate(lock, 0)
print("held", flush=True)
time.sleep(60)
"""
SLEEPS = LaunchSpec(("/bin/sleep", "60"), ENV, "/")


@contextmanager
def lock_held(directory: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A shim's stand-in that has the lock and never comes to record its start."""
    command = [sys.executable, "-c", HOLDS, str(directory), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()


async def test_shim_that_hangs_before_its_launch_is_ended_and_has_launched_nothing(tmp_path: Path) -> None:
    with lock_held(tmp_path) as holder:
        assert await AttemptProcess.adopt(tmp_path, timeout_s=0.1) == NeverStarted()
        assert holder.wait(20) == -signal.SIGKILL


async def test_lock_that_nobody_is_known_to_hold_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_HUNG_KILL_S", 0.1)
    with lock_held(tmp_path, "nameless") as holder:
        with pytest.raises(StartUnknownError, match="nothing is launched until it lets go of the lock"):
            await AttemptProcess.adopt(tmp_path, timeout_s=0.1)
        with pytest.raises(StartUnknownError):
            await AttemptProcess.launch(tmp_path, SLEEPS, timeout_s=0.1)
        assert holder.poll() is None
    assert await AttemptProcess.adopt(tmp_path) == NeverStarted()


async def test_cancelled_launch_leaves_nothing_open_and_an_attempt_that_is_known(tmp_path: Path) -> None:
    before, others = open_files(), zombies()
    for delay in (0.0, 0.002, 0.01, 0.03, 0.1):
        directory = tmp_path / str(delay)
        directory.mkdir()
        launching = asyncio.create_task(AttemptProcess.launch(directory, SLEEPS))
        await asyncio.sleep(delay)
        launching.cancel()
        process: object = None
        try:
            process = await launching
        except asyncio.CancelledError:
            process = await adopted(directory)
        if isinstance(process, AttemptProcess):
            await process.stop(0)
            await process.wait()
            process.close()
    assert open_files() == before
    eventually(lambda: zombies() <= others)


async def adopted(directory: Path) -> object:
    """What a later look finds: the shim needs a moment to come to its lock, or was never started."""
    if not (directory / "shim.log").exists():
        return NeverStarted()
    async with asyncio.timeout(20):
        while isinstance(found := await AttemptProcess.adopt(directory), NeverStarted):
            await asyncio.sleep(0.01)
    return found


async def test_two_hundred_launches_leave_no_descriptor_and_no_zombie(tmp_path: Path) -> None:
    before, others = open_files(), zombies()

    async def one(number: int) -> None:
        directory = tmp_path / str(number)
        directory.mkdir()
        argv = ("/bin/true",) if number % 4 else ("/no/such/program",)
        try:
            process = await AttemptProcess.launch(directory, LaunchSpec(argv, {}, "/"), timeout_s=60)
        except attempts.SpawnError:
            assert not number % 4
            return
        assert (await process.wait()).code == 0
        process.close()

    for first in range(0, 200, 8):
        await asyncio.gather(*(one(number) for number in range(first, first + 8)))
    assert open_files() == before
    eventually(lambda: zombies() <= others)


async def test_script_that_was_over_before_anyone_looked_has_its_end_known(tmp_path: Path) -> None:
    spec = LaunchSpec(("/bin/sh", "-c", "exit 3"), ENV, "/")
    first = await (await AttemptProcess.launch(tmp_path, spec)).wait()
    before = open_files()
    again = await AttemptProcess.launch(tmp_path, spec)
    assert (await again.wait()).code == 3
    assert await again.wait() == first
    again.close()
    assert open_files() == before


async def test_launch_whose_shim_says_nothing_in_time_launches_nothing_later(tmp_path: Path) -> None:
    with pytest.raises(attempts.SpawnError, match="ended before the script ran"):
        await AttemptProcess.launch(tmp_path, SLEEPS, timeout_s=0.0)
    assert not is_locked(str(tmp_path))
    assert not (tmp_path / "started.json").exists()
    assert await AttemptProcess.adopt(tmp_path) == NeverStarted()


def open_files() -> list[str]:
    """What each descriptor of this process is, less the one that the listing has open."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(f"{path.name} {path.readlink()}")
    return sorted(found)


def zombies() -> set[int]:
    """Children of this process that have ended and that nobody has reaped: other tests may leave some."""
    mine = children_of(scan_processes()).get(os.getpid(), [])
    return {process.pid for process in mine if not running(process.pid)}
