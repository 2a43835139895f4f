"""A million lines of output: what they cost the script, and what they cost the daemon."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.common import bench_daemon, cpu_seconds, middle, resident, table
from tests.daemon import Daemon

_ROUNDS = 5
# One write a line, as `python -u` and a C program with a line-buffered stdout do it.
_SCRIPT = """\
import os, time
line = b"2026-01-01 12:00:00 INFO worker: sample 123456 of shard 17 processed in 0.0032 s".ljust(99) + b"\\n"
began = time.perf_counter()
for _ in range(1_000_000):
    os.write(1, line)
with open("took", "w") as file:
    file.write(str(time.perf_counter() - began))
"""


def main() -> None:
    with bench_daemon() as (daemon, folder):
        script = folder / "train.py"
        script.write_text(_SCRIPT)
        _direct(script)
        _supervised(daemon, script)
        ratios, cpus, direct, before = [], [], [], resident(daemon.process.pid)
        for _ in range(_ROUNDS):
            direct.append(_direct(script))
            took, cpu = _supervised(daemon, script)
            ratios.append(took / direct[-1])
            cpus.append(cpu)
        grown = resident(daemon.process.pid) - before
    table(
        f"output: 1,000,000 lines of 100 bytes, {_ROUNDS} rounds in turn",
        [
            ("script's time straight to a file, median", f"{middle(direct):.2f} s", ""),
            ("script's time under traind over it, median", f"{middle(ratios):.3f} x", "<= 1.05 x"),
            ("daemon's CPU for them, median", f"{middle(cpus):.2f} s", "< 1 s"),
            (f"daemon's memory after {_ROUNDS} rounds more", f"{grown / 2**20:+.1f} MiB", "does not grow"),
        ],
    )


def _direct(script: Path) -> float:
    with (script.parent / "direct.log").open("wb") as log:
        subprocess.run([sys.executable, "-u", str(script)], cwd=script.parent, stdout=log, check=True)
    (script.parent / "direct.log").unlink()
    return float((script.parent / "took").read_text())


def _supervised(daemon: Daemon, script: Path) -> tuple[float, float]:
    before = cpu_seconds(daemon.process.pid)
    run_id = daemon.submit(script)["id"]
    run = daemon.wait(run_id)
    assert run["state"] == "succeeded", run
    cpu = cpu_seconds(daemon.process.pid) - before
    log = daemon.state_dir / "runs" / run_id / "attempt-1" / "log"
    assert log.stat().st_size == 100_000_000
    log.unlink()
    time.sleep(0.5)  # the disk's own work of the round before should not count for the next
    return float((script.parent / "took").read_text()), cpu
