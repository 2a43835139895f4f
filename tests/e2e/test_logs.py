"""Logs under a real daemon: bounded on disk, the daemon killed in the middle, removed, on a full disk."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.answers import problem, stream
from tests.daemon import Daemon, eventually, running_daemon
from tests.mounts import mounted

MIB = 2**20
LINE = 100
# 20 MB in numbered lines of 100 bytes; every thousandth carries a figure, each higher than the one before.
TALK = """\
import os, pathlib, time
def lines(first):
    for n in range(first, first + 1000):
        text = b"%09d" % n if n % 1000 else b"%09d GPU Memory Used: %d MiB" % (n, n // 1000 + 1)
        yield text.ljust(99) + b"\\n"
for block in range(200):
    os.write(1, b"".join(lines(block * 1000)))
    while block == 100 and not pathlib.Path("go").exists():
        time.sleep(0.01)
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    env = {"TRAIND_SAMPLE_EVERY_S": "0.05", "TRAIND_LOG__MAX_BYTES": "1MiB"}
    with running_daemon(tmp_path / "state", "--device", "host", env=env) as running:
        yield running


def log_of(daemon: Daemon, run_id: str) -> Path:
    return daemon.state_dir / "runs" / run_id / "attempt-1" / "log"


def figures(daemon: Daemon, run_id: str) -> list[int]:
    return [
        item["data"]["used"] // MIB for item in daemon.events(run_id) if item["type"] == "memory_reported"
    ]


def reported(daemon: Daemon, run_id: str, figure: int) -> None:
    def there() -> bool:
        memory = daemon.get(run_id)["memory"]
        return memory is not None and memory["reported"] == figure * MIB

    eventually(there)


def test_a_log_stays_bounded_over_a_killed_daemon_with_every_figure_seen_and_offsets_true(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TALK)
    run_id = daemon.submit(path)["id"]
    log = log_of(daemon, run_id)
    reported(daemon, run_id, 101)
    daemon.kill()
    (path.parent / "go").touch()
    eventually(lambda: log.stat().st_size == 200_000 * LINE)
    assert log.stat().st_blocks * 512 > 9 * MIB  # nobody bounds it now

    daemon.start()
    reported(daemon, run_id, 200)
    eventually(lambda: log.stat().st_blocks * 512 <= MIB + 64 * 1024)
    assert figures(daemon, run_id) == list(range(1, 201))

    (path.parent / "finish").touch()
    assert daemon.wait(run_id)["state"] == "succeeded"
    assert log.stat().st_size == 200_000 * LINE
    url = f"/v1/runs/{run_id}/log"
    for line in (199_999, 197_001, 195_000):
        answer = daemon.http.get(url, params={"offset": line * LINE, "limit": LINE, "raw": True})
        assert answer.text.startswith(f"{line:09d} ")
        assert answer.headers["traind-log-offset"] == str(line * LINE)
    check_trimmed(daemon.http, url)


def check_trimmed(http: httpx2.Client, url: str) -> None:
    """What is said of bytes that are gone, by every way to read."""
    size = 200_000 * LINE
    answer = http.get(url, params={"offset": 0, "limit": 5000, "raw": True})
    mark = int(answer.headers["traind-log-trimmed"])
    assert size - MIB <= mark < size
    assert answer.headers["traind-log-offset"] == str(mark)
    assert answer.headers["traind-log-next"] == str(mark + 5000)
    assert b"\0" not in answer.content

    whole = http.get(url, params={"limit": MIB, "raw": True})
    assert (whole.headers["traind-log-offset"], len(whole.content)) == (str(mark), size - mark)
    tail = http.get(url, params={"tail": 10_000, "limit": MIB})
    assert len(tail.text.splitlines()) in {(size - mark) // LINE, (size - mark) // LINE + 1}
    found = http.get(url, params={"grep": "GPU Memory"}).text.splitlines()
    assert [int(line[:9]) for line in found] == list(range(-(-mark // LINE // 1000) * 1000, 200_000, 1000))
    assert "\0" not in tail.text
    assert http.get(url, params={"grep": "\\x00"}).text == ""

    events = stream(http, f"{url}?follow=true&offset=100")
    assert events[0] == ("trimmed", str(mark), {"from": 100, "to": mark})
    assert sum(len(data) for kind, _, data in events if kind == "log") == size - mark
    assert events[-1][1] == str(size)
    assert stream(http, f"{url}?follow=true&offset={mark}")[0][0] == "log"


def test_the_command_line_tells_of_what_is_gone(daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script(TALK)
    (path.parent / "go").touch()
    (path.parent / "finish").touch()
    run_id = daemon.submit(path)["id"]
    daemon.wait(run_id)
    env = {**os.environ, "TRAIND_STATE_DIR": str(daemon.state_dir), "TRAIND_CONFIG": "/nonexistent"}
    command = [sys.executable, "-m", "supervisor.cli", "logs", run_id]
    for options in (["-n", "1"], ["-f", "--bytes", str(MIB)]):
        done = subprocess.run(
            [*command, *options], env=env, capture_output=True, text=True, check=True, timeout=60
        )
        assert "bytes of this log are gone" in done.stderr
        assert done.stdout.splitlines()[-1].startswith("000199999 ")
        assert "\0" not in done.stdout


def test_a_reader_that_lags_behind_the_mark_is_told_of_the_gap_and_never_shown_zeros(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TALK)
    run_id = daemon.submit(path)["id"]
    url = f"/v1/runs/{run_id}/log?follow=true&offset=0"
    position, shown = 0, ""
    with daemon.http.stream("GET", url) as slow:
        lines = slow.iter_lines()
        reported(daemon, run_id, 101)  # the socket has been full for long by then
        (path.parent / "go").touch()
        (path.parent / "finish").touch()
        assert daemon.wait(run_id)["state"] == "succeeded"
        kind, gaps = "", 0
        for line in lines:
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind
            if name == "data" and kind == "log":
                text = json.loads(value)
                position += len(text)
                shown += text
            elif name == "data" and kind == "trimmed":
                gap = json.loads(value)
                assert gap["from"] == position
                position, gaps = gap["to"], gaps + 1
    assert gaps
    assert position == 200_000 * LINE
    assert "\0" not in shown


def test_a_log_that_was_removed_is_served_while_its_script_lives_and_then_said_to_be_gone(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        """
        import pathlib, time
        print("before", flush=True)
        deadline = time.monotonic() + 60
        while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        """
    )
    run_id = daemon.submit(path)["id"]
    url = f"/v1/runs/{run_id}/log"
    eventually(lambda: daemon.http.get(url).text == "before\n")
    log_of(daemon, run_id).unlink()
    assert daemon.http.get(url).text == "before\n"
    (path.parent / "finish").touch()
    assert daemon.wait(run_id)["state"] == "succeeded"
    for asked in ({}, {"tail": 1}, {"follow": True}):
        assert "removed or renamed" in problem(daemon.http.get(url, params=asked), 410, "log_gone")
    assert daemon.event(run_id, "warning")["code"] == "log_gone"


def test_a_hundred_megabytes_without_a_line_end_cost_no_memory(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        """
        import os
        print("GPU Memory Used: 1 MiB", flush=True)
        for _ in range(100):
            os.write(1, b"x" * 2**20)
        print("\\nGPU Memory Used: 2 MiB", flush=True)
        """
    )
    before = resident(daemon)
    run_id = daemon.submit(path)["id"]
    assert daemon.wait(run_id)["state"] == "succeeded"
    assert figures(daemon, run_id) == [1, 2]
    assert resident(daemon) - before < 30 * MIB
    assert log_of(daemon, run_id).stat().st_blocks * 512 <= MIB + 64 * 1024
    assert daemon.http.get(f"/v1/runs/{run_id}/log", params={"tail": 1}).text == "GPU Memory Used: 2 MiB\n"


def resident(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def test_a_full_disk_loses_no_figure_that_could_be_written(tmp_path: Path) -> None:
    command = mounted("tmpfs", "size=24m", [sys.executable, "-m", "tests.e2e.full_disk", str(tmp_path)])
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["refused"] > 0
    assert found["state"] == "succeeded"
    assert found["figures"] == list(range(1, 301))
