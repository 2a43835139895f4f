"""Attempts as real processes: how they start, end, are stopped, and are found again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.process.attempt import (
    AttemptProcess,
    Exit,
    Gone,
    LaunchSpec,
    NeverStarted,
    SpawnError,
    read_exit,
)
from supervisor.process.tree import running
from tests.daemon import eventually
from tests.process.scripts import ENV, Launch, log_of


async def test_exit_code_and_output_are_recorded(launch: Launch) -> None:
    process = await launch("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    end = await process.wait()
    assert (end.code, end.signal, end.stop_requested, end.error) == (3, None, False, None)
    assert log_of(process) == "out\nerr\n"
    assert end.log_size == 8
    assert end.max_rss is not None
    assert end.max_rss > 2**20


async def test_death_by_signal_is_told_from_an_exit_code(launch: Launch) -> None:
    end = await (await launch("import os; os.kill(os.getpid(), 11)")).wait()
    assert (end.code, end.signal) == (None, signal.SIGSEGV)


async def test_child_has_exactly_its_environment_an_empty_stdin_and_default_signals(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, sys, json
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        leads = os.getsid(0) == os.getpid()
        print(json.dumps([dict(os.environ), sys.stdin.read(), sorted(mask), os.getcwd(), leads]))
        """
    )
    await process.wait()
    env, stdin, mask, cwd, leads = json.loads(log_of(process))
    own = {**ENV, "TRAIND_ATTEMPT": env["TRAIND_ATTEMPT"]}
    assert {name: env[name] for name in own} == own
    assert set(env) - set(own) <= {"LC_CTYPE"}
    assert (stdin, mask, cwd, leads) == ("", [], str(process.directory.parent), True)


async def test_interpreter_that_cannot_be_executed_is_not_an_exit_code(
    launch: Launch, tmp_path: Path
) -> None:
    with pytest.raises(SpawnError, match=r"/no/such/python could not be executed: ENOENT"):
        await launch("pass", python="/no/such/python")
    end = read_exit(tmp_path / "attempt")
    assert end is not None
    assert (end.code, end.signal) == (None, None)


async def test_script_that_exits_with_127_was_executed(launch: Launch) -> None:
    end = await (await launch("raise SystemExit(127)")).wait()
    assert (end.code, end.error) == (127, None)


async def test_missing_directory_is_a_failed_launch(launch: Launch) -> None:
    with pytest.raises(SpawnError, match="/no/such/place could not be executed: ENOENT"):
        await launch("pass", cwd=Path("/no/such/place"))


async def test_directory_that_is_not_there_is_a_failed_launch(tmp_path: Path) -> None:
    with pytest.raises(SpawnError, match="cannot be written"):
        await AttemptProcess.launch(tmp_path / "no", LaunchSpec(("/bin/true",), {}, "/"))


async def test_directory_is_launched_in_once(launch: Launch) -> None:
    first = await launch("open('count', 'a').write('x'); import time; time.sleep(30)")
    eventually((first.directory.parent / "count").exists)
    second = await launch("open('count', 'a').write('x'); import time; time.sleep(30)")
    assert second.started == first.started
    await first.stop(0)
    await first.wait()
    ended = await AttemptProcess.adopt(first.directory)
    assert isinstance(ended, Exit)
    assert (first.directory.parent / "count").read_text() == "x"


async def test_stop_is_sigterm_first(launch: Launch) -> None:
    process = await launch(
        """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("saved"), sys.exit(5)))
        print("ready")
        time.sleep(30)
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(20)
    end = await process.wait()
    assert (end.code, end.stop_requested, log_of(process)) == (5, True, "ready\nsaved\n")


async def test_child_that_ignores_sigterm_is_killed_at_the_end_of_its_grace(launch: Launch) -> None:
    process = await launch(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(0.2)
    end = await process.wait()
    assert (end.signal, end.stop_requested) == (signal.SIGKILL, True)


async def test_shorter_grace_overrides_a_longer_one(launch: Launch) -> None:
    process = await launch(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(50)
    await process.stop(0)
    assert (await process.wait()).signal == signal.SIGKILL


async def test_daemonised_and_stopped_grandchildren_do_not_survive(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, time
        def leave(name):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    open(name, "w").write(str(os.getpid()))
                    if name == "stopped":
                        os.kill(os.getpid(), signal.SIGSTOP)
                    time.sleep(60)
                os._exit(0)
        leave("daemonised"); leave("stopped")
        while not (os.path.exists("daemonised") and os.path.exists("stopped")):
            time.sleep(0.01)
        """
    )
    end = await process.wait()
    pids = [int((process.directory.parent / name).read_text()) for name in ("daemonised", "stopped")]
    assert (end.code, end.leftovers_killed) == (0, 2)
    assert not any(running(pid) for pid in pids)


async def test_children_forked_during_the_kill_are_killed_too(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        while True:
            if os.fork() == 0:
                time.sleep(60)
            time.sleep(0.005)
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(0.2)
    await process.wait()
    assert process.members() == frozenset()


async def test_members_are_the_tree_without_the_shim(launch: Launch) -> None:
    process = await launch("import subprocess; subprocess.run(['sleep', '30'])")
    eventually(lambda: len(process.members()) == 2)
    assert process.started.pid in process.members()
    assert process.started.shim_pid not in process.members()


async def test_dead_shim_leaves_the_child_watched_and_stoppable(launch: Launch) -> None:
    process = await launch("import time; print('ready'); time.sleep(60)")
    eventually(lambda: log_of(process) == "ready\n")
    os.kill(process.started.shim_pid, signal.SIGKILL)
    eventually(lambda: not running(process.started.shim_pid))
    await asyncio.sleep(0.05)
    assert running(process.started.pid)
    await process.stop(0.1)
    end = await process.wait()
    assert (end.code, end.signal, end.log_size, end.stop_requested) == (None, None, None, True)


async def test_orphan_of_a_dead_shim_is_adopted_by_its_identity(launch: Launch) -> None:
    process = await launch("import time; print('ready'); time.sleep(60)")
    eventually(lambda: log_of(process) == "ready\n")
    os.kill(process.started.shim_pid, signal.SIGKILL)
    eventually(lambda: not running(process.started.shim_pid))
    found = await AttemptProcess.adopt(process.directory)
    assert isinstance(found, AttemptProcess)
    found.close()
    record = json.loads((process.directory / "started.json").read_text())
    for change, reason in (({"start_ticks": 1}, "shim_gone"), ({"boot_id": "x"}, "host_rebooted")):
        (process.directory / "started.json").write_text(json.dumps({**record, **change}))
        assert await AttemptProcess.adopt(process.directory) == Gone(reason)


async def test_empty_directory_was_never_started(tmp_path: Path) -> None:
    assert await AttemptProcess.adopt(tmp_path) == NeverStarted()


async def test_attempt_outlives_the_killed_process_that_launched_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import os, time\nwhile not os.path.exists('finish'): time.sleep(0.01)\nraise SystemExit(9)"
    )
    launcher = f"""
import asyncio, os
from pathlib import Path
from supervisor.process.attempt import AttemptProcess, LaunchSpec
async def main():
    spec = LaunchSpec(({sys.executable!r}, "script.py"), dict(os.environ), {str(tmp_path)!r})
    await AttemptProcess.launch(Path({str(tmp_path)!r}), spec)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", launcher], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    found = await AttemptProcess.adopt(tmp_path)
    assert isinstance(found, AttemptProcess)
    (tmp_path / "finish").touch()
    assert (await found.wait()).code == 9
    found.close()


async def test_end_is_known_to_all_who_wait_and_to_those_who_come_late(launch: Launch) -> None:
    process = await launch("raise SystemExit(2)")
    first, second = await asyncio.gather(process.wait(), process.wait())
    assert first == second == await process.wait()
    await process.stop(1)
