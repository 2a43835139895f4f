"""What the daemon costs by being there: idle, and with fifty runs that print a line a second each."""

import time

from benchmarks.common import bench_daemon, cpu_seconds, resident, table
from tests.daemon import eventually

_WATCH_S = 20.0
_RUNS = 50
_SCRIPT = """\
import time
for epoch in range(1, 600):
    print(f"Fold 1/5, Epoch {epoch}/600, Loss: 0.5")
    time.sleep(1)
"""


def main() -> None:
    with bench_daemon() as (daemon, folder):
        pid = daemon.process.pid
        time.sleep(3)
        idle, memory = _share(pid), resident(pid)
        script = folder / "train.py"
        script.write_text(_SCRIPT)
        ids = [daemon.submit(script)["id"] for _ in range(_RUNS)]
        eventually(lambda: all(daemon.get(run_id)["progress"] for run_id in ids))
        time.sleep(3)
        busy, loaded = _share(pid), resident(pid)
    table(
        f"the daemon at rest and under load, each over {_WATCH_S:.0f} s",
        [
            ("idle: CPU of one core", f"{idle:.2%}", "< 0.5%"),
            ("idle: resident memory", f"{memory / 1e6:.0f} MB", "< 80 MB"),
            (f"{_RUNS} runs, a line a second each: CPU of one core", f"{busy:.2%}", "< 3%"),
            (f"{_RUNS} runs: resident memory", f"{loaded / 1e6:.0f} MB", ""),
        ],
    )


def _share(pid: int) -> float:
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(_WATCH_S)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)
