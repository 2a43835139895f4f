"""The command line as people type it: real processes, stdout and stderr apart, exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.traind import WAITING, traind
from tests.daemon import Daemon, eventually


@pytest.fixture
def to_daemon(host_daemon: Daemon) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    def call(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return traind(*arguments, cwd=cwd, TRAIND_STATE_DIR=str(host_daemon.state_dir))

    return call


def test_run_passes_on_output_and_exit_code(tmp_path: Path, script: Callable[..., Path]) -> None:
    path = script("import sys; print('out', sys.argv[1:]); print('err', file=sys.stderr); sys.exit(7)")
    done = traind(
        *("run", "--device", "host", "--python", sys.executable, str(path), "--", "--lr", "3"),
        TRAIND_STATE_DIR=str(tmp_path / "state"),
    )
    assert (done.returncode, done.stdout) == (7, "out ['--lr', '3']\nerr\n")
    assert "run failed (exit_code)" in done.stderr


def test_run_corrects_the_batch_and_shows_before_and_after(
    tmp_path: Path, script: Callable[..., Path]
) -> None:
    path = script(
        """
        import time
        BATCH_SIZE = 64
        held = b"x" * (BATCH_SIZE * 2**20)
        print(f"GPU Memory Used: {(len(held) + 12 * 2**20) / 2**20:.0f} MB / 200 MB")
        time.sleep(2 if BATCH_SIZE == 128 else 60)
        """
    )
    done = traind(
        *("run", "--device", "host", "--host-capacity", "200MiB", "--checkpoint-after", "1", str(path)),
        TRAIND_STATE_DIR=str(tmp_path / "state"),
        TRAIND_SAMPLE_EVERY_S="0.1",
    )
    assert done.returncode == 0, done.stderr
    assert "BATCH_SIZE = 128" in path.read_text()
    assert "relaunches: 1" in done.stderr
    assert done.stdout.splitlines() == ["GPU Memory Used: 76 MB / 200 MB", "GPU Memory Used: 140 MB / 200 MB"]


def test_quiet_run_says_nothing_of_its_own(tmp_path: Path, script: Callable[..., Path]) -> None:
    done = traind(
        "run", "-q", "--device", "host", str(script("print(1)")), TRAIND_STATE_DIR=str(tmp_path / "s")
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_ctrl_c_stops_a_foreground_run_gracefully(tmp_path: Path, script: Callable[..., Path]) -> None:
    path = script(
        """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit(0)))
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    command = [sys.executable, "-m", "supervisor.cli", "run", "--device", "host", str(path)]
    env = {**os.environ, "TRAIND_STATE_DIR": str(tmp_path / "state")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert (process.returncode, rest) == (0, "saved\n")


def test_submit_prints_the_id_and_the_rest_follows_from_it(
    to_daemon: Callable[..., "subprocess.CompletedProcess[str]"], script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    submitted = to_daemon("submit", "train.py", "--name", "first", cwd=path.parent)
    run_id = submitted.stdout.strip()
    assert (submitted.returncode, len(run_id)) == (0, 12)
    assert to_daemon("wait", run_id, "--for", "running").returncode == 0
    assert to_daemon("wait", run_id, "--timeout", "0.1").returncode == 124
    eventually(lambda: "fold 1/5" in to_daemon("ps").stdout)
    assert run_id in to_daemon("status").stdout
    (path.parent / "finish").touch()
    followed = to_daemon("logs", "-f", run_id)
    assert followed.stdout == "Fold 1/5, Epoch 2/10, Loss: 0.5\nbye\n"
    waited = to_daemon("wait", run_id)
    assert (waited.returncode, waited.stdout) == (0, f"{run_id}: succeeded\n")
    assert to_daemon("logs", run_id).stdout == followed.stdout
    assert "completed" in to_daemon("status", run_id).stdout
    assert json.loads(to_daemon("status", run_id, "--json").stdout)["attempts"][0]["exit_code"] == 0
    assert run_id not in to_daemon("ps").stdout
    assert run_id in [run["id"] for run in json.loads(to_daemon("ps", "-a", "--json").stdout)]


def test_stop_without_an_id_means_the_only_live_run_and_refuses_to_guess(
    to_daemon: Callable[..., "subprocess.CompletedProcess[str]"], script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    first, second = (to_daemon("submit", str(path)).stdout.strip() for _ in range(2))
    refused = to_daemon("stop")
    assert refused.returncode == 2
    assert first in refused.stderr
    assert to_daemon("stop", first, "--grace", "1").returncode == 0
    assert to_daemon("wait", first).returncode == 1
    assert to_daemon("stop").returncode == 0
    assert to_daemon("wait", second).returncode == 1


def test_stop_all_stops_what_runs_and_what_waits_and_can_wait_for_their_end(
    to_daemon: Callable[..., "subprocess.CompletedProcess[str]"], script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    ids = {to_daemon("submit", str(path)).stdout.strip() for _ in range(2)}
    assert to_daemon("wait", min(ids), "--for", "running").returncode == 0

    assert to_daemon("stop", "--all", min(ids)).returncode == 2
    done = to_daemon("stop", "--all", "--wait", "--grace", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert {run["id"]: run["state"] for run in json.loads(done.stdout)} == dict.fromkeys(ids, "stopped")
    nothing = to_daemon("stop", "--all")
    assert (nothing.returncode, nothing.stdout) == (0, "no run is live\n")


def test_unknown_run_exits_with_3_and_bad_usage_with_2(
    to_daemon: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    assert to_daemon("status", "nowhere").returncode == 3
    assert to_daemon("wait", "latest", "--for", "rain").returncode == 2
    assert to_daemon("submit", "/no/such.py").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("serve", "--host-capacity", "0"), {}, "host_capacity"),
        (("serve", "--host", "192.0.2.1"), {}, "TRAIND_TOKEN"),
        (
            ("serve", "--device", "host", "--state-dir", "/proc/nothing"),
            {},
            "/proc/nothing cannot be written",
        ),
        (("serve", "--device", "nvml", "--state-dir", "{tmp}/s"), {}, "libnvidia-ml.so.1"),
        (
            ("serve", "--state-dir", "{tmp}/s", "--device", "host", "--port", "{port}"),
            {},
            "choose another by --port",
        ),
        (("serve",), {"TRAIND_SAMPLE_EVERY_S": "soon"}, "sample_every_s"),
        (("run", "--device", "host", "/no/such.py"), {}, "/no/such.py"),
        (("run", "--device", "host", "--python", "/no/python", "x.py"), {}, "/no/python"),
        (("ps",), {"TRAIND_URL": "http://127.0.0.1:9"}, "start one with `traind serve`"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_what_to_do(
    host_daemon: Daemon, tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    port = str(host_daemon.http.base_url.port)
    given = [argument.format(tmp=tmp_path, port=port) for argument in arguments]
    done = traind(*given, **{"TRAIND_STATE_DIR": str(tmp_path / "state"), **env})
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert done.stderr.startswith("traind: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
