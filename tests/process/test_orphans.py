"""Trees that have lost their shim: what they leave is found by evidence and ended, and nobody else is."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.process.attempt import AttemptProcess, Exit, Gone
from supervisor.process.ladder import MARKS, Orphaned
from supervisor.process.procfs import read_process
from supervisor.process.tree import running
from tests.daemon import eventually
from tests.process.scripts import Launch, log_of

LEAVES_ONE = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid())
        time.sleep(60)
    os._exit(0)
os.wait()
while not os.path.exists("finish"):
    time.sleep(0.01)
"""
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(60)"


async def without_shim(process: AttemptProcess) -> None:
    os.kill(process.started.shim_pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while process._has_shim:
            await asyncio.sleep(0.01)


async def test_what_outlives_a_script_without_its_shim_is_ended_too(launch: Launch) -> None:
    process = await launch(LEAVES_ONE)
    left = eventually(lambda: int(log_of(process) or 0))
    await without_shim(process)
    assert running(left)
    (process.directory.parent / "finish").touch()
    end = await process.wait()
    assert end == Exit(leftovers_killed=1)
    assert not running(left)


async def test_stop_without_a_shim_reaches_what_has_gone_to_init(launch: Launch) -> None:
    process = await launch(LEAVES_ONE)
    left = eventually(lambda: int(log_of(process) or 0))
    await without_shim(process)
    await process.stop(0.1)
    end = await process.wait()
    assert (end.code, end.signal, end.stop_requested) == (None, None, True)
    assert not running(left)


async def test_what_a_lost_attempt_left_is_ended_before_it_is_called_gone(launch: Launch) -> None:
    process = await launch(LEAVES_ONE)
    left = eventually(lambda: int(log_of(process) or 0))
    process.close()  # as by the daemon's death
    os.kill(process.started.shim_pid, signal.SIGKILL)
    os.kill(process.started.pid, signal.SIGKILL)
    eventually(lambda: not running(process.started.pid))
    assert running(left)
    assert await AttemptProcess.adopt(process.directory) == Gone("shim_gone")
    assert not running(left)
    process._ended.set_result(Exit())


async def test_stop_is_seen_through_when_the_shim_dies_during_the_grace(launch: Launch) -> None:
    process = await launch(DEAF)
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(0.5)
    await without_shim(process)
    async with asyncio.timeout(20):
        assert (await process.wait()).stop_requested
    assert not running(process.started.pid)


async def test_shorter_grace_overrides_a_longer_one_without_a_shim(launch: Launch) -> None:
    process = await launch(DEAF)
    eventually(lambda: log_of(process) == "ready\n")
    await without_shim(process)
    await process.stop(500)
    await process.stop(0)
    async with asyncio.timeout(20):
        await process.wait()
    assert not running(process.started.pid)


async def test_child_of_a_saving_script_gets_no_sigterm_of_its_own_without_a_shim(launch: Launch) -> None:
    process = await launch(
        """
        import signal, subprocess, sys, time
        def save(*_):
            print("saving", subprocess.run(["sleep", "0.5"]).returncode)
            sys.exit()
        signal.signal(signal.SIGTERM, save)
        print("ready")
        time.sleep(60)
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await without_shim(process)
    await process.stop(20)
    await process.wait()
    assert log_of(process) == "ready\nsaving 0\n"


@pytest.fixture
def marked() -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a session of its own that carries the words of run r, attempt 1."""
    env = {"TRAIND_RUN_ID": "r", "TRAIND_ATTEMPT": "1"}
    with subprocess.Popen(["sleep", "60"], env=env, start_new_session=True) as process:
        eventually(lambda: b"TRAIND" in Path(f"/proc/{process.pid}/environ").read_bytes())
        yield process
        process.kill()


def found_of(run: str, attempt: str, leader: tuple[int, int]) -> list[int]:
    env = {"TRAIND_RUN_ID": run, "TRAIND_ATTEMPT": attempt}
    return [process.pid for process in Orphaned.of(leader, env).find()]


def ticks_of(pid: int) -> int:
    process = read_process(pid)
    assert process is not None
    return process.start_ticks


def test_only_the_attempts_own_words_count_as_evidence(marked: "subprocess.Popen[bytes]") -> None:
    began = ticks_of(marked.pid)
    nobody = 2**22 + 1
    assert found_of("r", "1", (nobody, began)) == [marked.pid]
    assert found_of("r", "2", (nobody, began)) == []
    assert found_of("q", "1", (nobody, began)) == []
    assert found_of("r", "1", (nobody, began + 1)) == []  # older than the attempt
    assert Orphaned.of((nobody, began), {"TRAIND_RUN_ID": "r"}).find() == []


def test_session_alone_is_no_evidence_once_its_number_may_be_another_ones() -> None:
    with subprocess.Popen(["sleep", "60"], env={}, start_new_session=True) as stranger:
        began = ticks_of(stranger.pid)
        assert found_of("r", "1", (stranger.pid, began)) == [stranger.pid]
        assert found_of("r", "1", (stranger.pid, began - 1)) == []  # the pid came round
        stranger.kill()


def test_one_with_the_words_proves_the_session_for_those_that_dropped_them(tmp_path: Path) -> None:
    script = "env -i sleep 60 & exec sleep 60"
    env = {"TRAIND_RUN_ID": "r", "TRAIND_ATTEMPT": tmp_path.name, "PATH": os.environ["PATH"]}
    # The session's leader ends at once; two are left in it, one without the words.
    text = f"({script}) & exit 0"
    with subprocess.Popen(["sh", "-c", text], env=env, start_new_session=True) as leader:
        leader.wait()
        mine = eventually(
            lambda: found if len(found := found_of("r", tmp_path.name, (leader.pid, 1))) == 2 else None
        )
    for pid in mine:
        os.kill(pid, signal.SIGKILL)


def test_who_looks_is_never_found_nor_are_its_ancestors() -> None:
    script = textwrap.dedent(
        """
        import os
        from supervisor.process.ladder import Orphaned
        env = {name: os.environ[name] for name in ("TRAIND_RUN_ID", "TRAIND_ATTEMPT")}
        print(Orphaned.of((2**22 + 1, 0), env).find())
        """
    )
    env = {**os.environ, **dict.fromkeys(MARKS, "looks-for-itself")}
    shell = ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", script]
    done = subprocess.run(shell, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
