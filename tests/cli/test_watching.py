"""`logs` and `watch` as people use them: followed, piped, on a terminal, cut short."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.traind import WAITING, traind
from tests.daemon import Daemon, eventually

LINES = "".join(f"line {number}\n" for number in range(100))
LONG = "for number in range(100): print('line', number)"


@pytest.fixture
def env(host_daemon: Daemon) -> dict[str, str]:
    return {"TRAIND_STATE_DIR": str(host_daemon.state_dir)}


@pytest.fixture
def ended(host_daemon: Daemon, script: Callable[..., Path]) -> str:
    run = host_daemon.submit(script(LONG))["id"]
    host_daemon.wait(run)
    return str(run)


def test_the_end_of_a_log_by_bytes_and_followed_by_lines(ended: str, env: dict[str, str]) -> None:
    assert traind("logs", ended, **env).stdout == LINES
    assert traind("logs", ended, "--bytes", "8", "--raw", **env).stdout == "line 99\n"
    assert traind("logs", "-f", ended, **env).stdout == LINES
    assert traind("logs", "--attempt", "1", ended, **env).stdout == LINES
    assert traind("logs", "--attempt", "7", ended, **env).returncode == 3


@pytest.mark.parametrize(
    "options",
    [("-n", "1", "--bytes", "1"), ("--attempt", "1", "--follow-up"), ("-f", "--grep", "x"), ("-n", "0")],
)
def test_options_that_contradict_each_other_are_refused(
    options: tuple[str, ...], env: dict[str, str]
) -> None:
    done = traind("logs", "latest", *options, **env)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_reader_that_leaves_ends_it_silently(ended: str, env: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "supervisor.cli", "logs", "-f", ended],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        env={**os.environ, **env},
    )
    os.close(writing)
    assert (done.returncode > 0, done.stderr) == (True, b"")
    status = ["bash", "-c", f"{sys.executable} -m supervisor.cli status | true"]
    done = subprocess.run(status, capture_output=True, check=False, env={**os.environ, **env})
    assert (done.stdout, done.stderr) == (b"", b"")


def test_ctrl_c_ends_a_follower_without_a_traceback(
    host_daemon: Daemon, script: Callable[..., Path], env: dict[str, str]
) -> None:
    run = host_daemon.submit(script(WAITING))["id"]
    host_daemon.wait(run, "running")
    for command in (["logs", "-f", run], ["watch", run]):
        with subprocess.Popen(
            [sys.executable, "-m", "supervisor.cli", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **env},
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (130, b"")
    host_daemon.http.post(f"/v1/runs/{run}/stop", json={"grace_s": 0})
    host_daemon.wait(run)


def test_watch_into_a_pipe_is_a_line_an_event_until_the_end(ended: str, env: dict[str, str]) -> None:
    lines = traind("watch", ended, **env).stdout.splitlines()
    assert lines[0][8:].startswith("  queued ")
    assert lines[-1].endswith("run succeeded (completed)")
    events = [json.loads(line) for line in traind("watch", ended, "--json", **env).stdout.splitlines()]
    assert (events[0]["type"], events[-1]["type"]) == ("run_queued", "run_ended")
    assert {event["run"] for event in events} == {ended}


def test_watch_of_several_runs_names_each(
    host_daemon: Daemon, script: Callable[..., Path], env: dict[str, str]
) -> None:
    path = script(WAITING)
    runs = [host_daemon.submit(path, cwd=str(path.parent))["id"] for _ in range(2)]
    with subprocess.Popen(
        [sys.executable, "-m", "supervisor.cli", "watch"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        (path.parent / "finish").touch()
        rest = process.stdout.read()
    assert process.returncode == 0
    assert all(f"{run}  run succeeded" in first + rest for run in runs)


def test_watch_on_a_terminal_shows_memory_and_the_log(ended: str, env: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "supervisor.cli", "watch", ended],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, **env, "TERM": "xterm", "COLUMNS": "80"},
    ) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0
    for expected in (b"memory", b"progress", b"line 99", b"succeeded", ended.encode()):
        assert expected in shown


def test_runs_are_completed_from_the_daemon_and_silently_without(
    ended: str, env: dict[str, str], tmp_path: Path
) -> None:
    asked = {
        "_TRAIND_COMPLETE": "complete_bash",
        "COMP_WORDS": f"traind status {ended[:6]}",
        "COMP_CWORD": "2",
    }
    assert ended in traind(**asked, **env).stdout
    done = traind(**asked, TRAIND_STATE_DIR=str(tmp_path), TRAIND_URL="http://127.0.0.1:9")
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_waiting_at_submission_ends_with_the_run(
    host_daemon: Daemon, script: Callable[..., Path], env: dict[str, str]
) -> None:
    done = traind("submit", "--wait", "finished", "--json", str(script("exit(3)")), **env)
    assert (done.returncode, json.loads(done.stdout)["state"]) == (1, "failed")
    slow = traind("submit", "--wait", "finished", "--timeout", "0.2s", str(script(WAITING)), **env)
    run, said = slow.stdout.splitlines()
    assert (slow.returncode, said.startswith(f"{run}: ")) == (124, True)
    host_daemon.http.post(f"/v1/runs/{run}/stop", json={"grace_s": 0})
    eventually(lambda: host_daemon.get(run)["ended_at"])


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""
