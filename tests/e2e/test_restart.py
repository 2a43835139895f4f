"""The daemon is killed and started again: training goes on, and nothing is lost or done twice."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from supervisor.process.tree import running
from tests.daemon import Daemon, eventually, running_daemon

TRAIN = """\
import pathlib, sys, time
BATCH_SIZE = 64
with open("starts", "a") as file:
    file.write(f"{BATCH_SIZE}\\n")
print("Fold 1/2, Epoch 1/3, Loss: 0.9", flush=True)
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
print("Fold 2/2, Epoch 3/3, Loss: 0.1")
sys.exit(3)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    env = {"TRAIND_SAMPLE_EVERY_S": "0.05"}
    with running_daemon(tmp_path / "state", "--device", "host", env=env) as running:
        yield running


def test_killed_daemon_takes_up_a_live_run_and_knows_its_exit_code(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path)["id"]
    daemon.event(run_id, "progress")
    pid = daemon.attempts(run_id)[0]["pid"]
    daemon.kill()
    assert running(pid)

    daemon.start()
    adopted = daemon.event(run_id, "attempt_adopted")
    (path.parent / "finish").touch()
    run = daemon.wait(run_id)

    assert adopted["pid"] == pid
    assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "exit_code", 3)
    assert (path.parent / "starts").read_text() == "64\n"
    assert run["progress"]["fold"] == 2


def test_run_that_ended_while_the_daemon_was_dead_is_finished_from_its_record(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path)["id"]
    daemon.event(run_id, "progress")
    daemon.kill()
    (path.parent / "finish").touch()
    record = daemon.state_dir / "runs" / run_id / "attempt-1" / "exit.json"
    eventually(record.exists)

    daemon.start()
    run = daemon.wait(run_id)
    assert (run["state"], run["exit_code"]) == ("failed", 3)
    losses = [item["data"]["loss"] for item in daemon.events(run_id) if item["type"] == "progress"]
    assert losses[-1] == 0.1


def test_checkpoint_that_fell_due_while_the_daemon_was_dead_is_judged(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path, checkpoint={"after_s": 1.5, "retry_s": 0.1})["id"]
    daemon.event(run_id, "progress")
    daemon.kill()
    started = json.loads((daemon.state_dir / "runs" / run_id / "attempt-1" / "started.json").read_text())
    eventually(lambda: psutil.time.time() - started["wall"] > 1.6)

    daemon.start()
    run = daemon.wait(run_id, "checkpoint")
    (path.parent / "finish").touch()
    assert run["verdict"]["kind"] == "underused"


def test_reboot_is_told_from_a_live_run(daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path)["id"]
    daemon.event(run_id, "progress")
    attempt = daemon.state_dir / "runs" / run_id / "attempt-1"
    started = json.loads((attempt / "started.json").read_text())
    daemon.kill()
    for pid in (started["shim_pid"], started["pid"]):
        psutil.Process(pid).kill()
    eventually(lambda: not running(started["shim_pid"]))
    (attempt / "started.json").write_text(json.dumps({**started, "boot_id": "another"}))

    daemon.start()
    run = daemon.wait(run_id)
    assert (run["state"], run["reason"], run["exit_code"]) == ("lost", "host_rebooted", None)


def test_dead_shim_leaves_training_alive_and_its_exit_code_unknown(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path)["id"]
    daemon.event(run_id, "progress")
    attempt = daemon.state_dir / "runs" / run_id / "attempt-1"
    started = json.loads((attempt / "started.json").read_text())
    psutil.Process(started["shim_pid"]).kill()
    eventually(lambda: not running(started["shim_pid"]))
    assert daemon.get(run_id)["state"] == "running"
    (path.parent / "finish").touch()
    run = daemon.wait(run_id)
    assert (run["state"], run["reason"], run["exit_code"]) == ("lost", "shim_gone", None)


def test_sigterm_ends_the_daemon_soon_with_a_wait_open_and_training_goes_on(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path)["id"]
    daemon.event(run_id, "progress")
    pid = daemon.attempts(run_id)[0]["pid"]
    with daemon.http.stream(
        "GET", f"/v1/runs/{run_id}/events", headers={"Accept": "text/event-stream"}
    ) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: run_queued"
        daemon.process.terminate()
        said = list(lines)
    assert daemon.process.wait(10) == 0
    daemon.http.close()
    assert '"reason": "stopping"' in said[-2] or '"reason": "stopping"' in said[-3]
    assert running(pid)
    daemon.start()
    (path.parent / "finish").touch()
    assert daemon.wait(run_id)["exit_code"] == 3


def test_second_daemon_on_the_same_state_directory_is_refused(daemon: Daemon) -> None:
    import subprocess

    command = [
        sys.executable,
        "-m",
        "supervisor.cli",
        "serve",
        "--state-dir",
        str(daemon.state_dir),
        "--port",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"in use by process {daemon.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr
