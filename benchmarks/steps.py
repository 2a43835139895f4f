"""How long the steps of a run take: to the first line, from line to event, from kill to relaunch."""

import json
import time
from datetime import datetime
from pathlib import Path

from benchmarks.common import bench_daemon, middle, table
from tests.daemon import Daemon, eventually

_ROUNDS = 15
_FIRST_LINE = """\
import time
with open("first", "w") as file:
    file.write(str(time.time()))
print("hello")
"""
_LINES = """\
import time
for epoch in range(1, 101):
    print(f"Fold 1/1, Epoch {epoch}/100, Loss: {time.time():.6f}")
    time.sleep(0.07)
"""
_KILLED = """\
import signal, sys, time
BATCH_SIZE = 64

def leave(*_):
    time.sleep(0.2)
    with open("left", "w") as file:
        file.write(str(time.time()))
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
print("GPU Memory Used: 1 GB")
time.sleep(60)
"""


def main() -> None:
    with bench_daemon(TRAIND_SAMPLE_EVERY_S="0.1") as (daemon, folder):
        first = [_submission_to_first_line(daemon, folder) for _ in range(_ROUNDS)]
        latencies = _line_to_event(daemon, folder)
        relaunches = [_exit_to_relaunch(daemon, folder) for _ in range(5)]
    table(
        "steps of a run",
        [
            (
                f"submission to the script's first statement, median of {_ROUNDS}",
                f"{middle(first) * 1e3:.0f} ms",
                "< 150 ms",
            ),
            (
                f"printed line to event on a stream, median of {len(latencies)}",
                f"{middle(latencies) * 1e3:.1f} ms",
                "< 10 ms",
            ),
            (
                "  the same, 99th percentile",
                f"{sorted(latencies)[int(len(latencies) * 0.99)] * 1e3:.1f} ms",
                "",
            ),
            (
                "child's own exit to the next attempt's start, median of 5",
                f"{middle(relaunches) * 1e3:.0f} ms",
                "< 500 ms",
            ),
        ],
    )


def _submission_to_first_line(daemon: Daemon, folder: Path) -> float:
    script = folder / "first.py"
    script.write_text(_FIRST_LINE)
    began = time.time()
    run_id = daemon.submit(script)["id"]
    daemon.wait(run_id)
    return float((folder / "first").read_text()) - began


def _line_to_event(daemon: Daemon, folder: Path) -> list[float]:
    script = folder / "lines.py"
    script.write_text(_LINES)
    run_id = daemon.submit(script)["id"]
    found = []
    headers = {"Accept": "text/event-stream"}
    with daemon.http.stream("GET", f"/v1/runs/{run_id}/events", headers=headers) as stream:
        for line in stream.iter_lines():
            now = time.time()
            if line.startswith("data: ") and '"type":"progress"' in line:
                found.append(now - json.loads(line[6:])["data"]["loss"])
    daemon.wait(run_id)
    return found


def _exit_to_relaunch(daemon: Daemon, folder: Path) -> float:
    script = folder / "killed.py"
    script.write_text(_KILLED)
    run_id = daemon.submit(script, checkpoint={"after_s": 0.6, "retry_s": 0.1}, sizing={"max_relaunches": 1})[
        "id"
    ]
    second = eventually(
        lambda: [item for item in daemon.attempts(run_id) if item["number"] == 2 and item["pid"]]
    )
    left = float((folder / "left").read_text())
    daemon.http.post(f"/v1/runs/{run_id}/stop", json={"grace_s": 0})
    daemon.wait(run_id)
    return datetime.fromisoformat(second[0]["started_at"]).timestamp() - left
