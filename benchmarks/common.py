"""What the benchmarks share: a daemon in a folder of its own, its figures, and tables."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from tests.daemon import Daemon, running_daemon


@contextmanager
def bench_daemon(**env: str) -> Iterator[tuple[Daemon, Path]]:
    """A daemon on the host device, and a folder for scripts."""
    with tempfile.TemporaryDirectory(prefix="traind-bench-") as name:
        folder = Path(name)
        options = ("--device", "host", "--host-capacity", "64GiB")
        with running_daemon(folder / "state", *options, env=env) as daemon:
            yield daemon, folder


def cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def resident(pid: int) -> int:
    """Bytes."""
    return int(psutil.Process(pid).memory_info().rss)


def table(title: str, rows: list[tuple[str, str, str]]) -> None:
    """Rows of (what, measured, to reach)."""
    print(title)
    print(f"  {'':<58} {'measured':>14}   to reach")
    for what, measured, wanted in rows:
        print(f"  {what:<58} {measured:>14}   {wanted}")


def middle(values: list[float]) -> float:
    return median(values)
