"""How soon a daemon that was killed has its live runs again: a hundred of them."""

import time
from datetime import datetime

from benchmarks.common import bench_daemon, middle, table
from tests.daemon import Daemon, eventually

_RUNS = 100
_ROUNDS = 5
_SCRIPT = """\
import time
for epoch in range(1, 1000):
    print(f"Fold 1/5, Epoch {epoch}/1000, Loss: 0.5", flush=True)
    time.sleep(5)
"""


def main() -> None:
    with bench_daemon() as (daemon, folder):
        script = folder / "train.py"
        script.write_text(_SCRIPT)
        ids = [daemon.submit(script)["id"] for _ in range(_RUNS)]
        eventually(lambda: all(daemon.get(run_id)["progress"] for run_id in ids), limit_s=120)
        rounds = [_kill_and_take_up(daemon, ids) for _ in range(_ROUNDS)]
    from_start, from_kill = zip(*rounds, strict=True)
    table(
        f"{_RUNS} live runs taken up again, median of {_ROUNDS}",
        [
            ("daemon's start to the last of them adopted", f"{middle(list(from_start)):.2f} s", "< 1 s"),
            (
                "the SIGKILL before it to the last of them adopted",
                f"{middle(list(from_kill)):.2f} s",
                "< 2 s",
            ),
        ],
    )


def _kill_and_take_up(daemon: Daemon, ids: list[str]) -> tuple[float, float]:
    """Seconds from the new daemon's start, and from the kill of the old one."""
    killed = time.time()
    daemon.kill()
    started = time.time()
    daemon.start()
    adopted = [_adopted_at(daemon, run_id, killed) for run_id in ids]
    return max(adopted) - started, max(adopted) - killed


def _adopted_at(daemon: Daemon, run_id: str, after: float) -> float:
    times = [
        datetime.fromisoformat(item["at"]).timestamp()
        for item in daemon.events(run_id)
        if item["type"] == "attempt_adopted"
    ]
    assert times, f"run {run_id} was not adopted"
    assert times[-1] >= after, f"run {run_id} was not adopted by this daemon"
    return times[-1]
