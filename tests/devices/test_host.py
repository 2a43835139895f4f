"""Host memory of real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from supervisor.devices.host import HostDevice, default_capacity, memory_of

MIB = 2**20


@contextmanager
def python(text: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A session leader that has said `ready` once it is where the test wants it."""
    command = [sys.executable, "-c", text + "\nprint('ready', flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        os.killpg(process.pid, 9)


def test_peak_counts_and_not_the_moment() -> None:
    with python("data = b'x' * (200 * 2**20); del data") as process:
        sample = HostDevice(2**30).sample([process.pid], 1.0)
    assert 200 * MIB < sample.used < 260 * MIB
    assert (sample.device_id, sample.total, sample.at) == ("host", 2**30, 1.0)


def test_pages_that_forked_workers_share_are_not_counted_again() -> None:
    text = """
import os, time
data = b'x' * (200 * 2**20)
for _ in range(2):
    if os.fork() == 0:
        time.sleep(60)
"""
    with python(text) as process:
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
        )
        pids = [process.pid, *map(int, children.stdout.split())]
        sample = HostDevice(2**30).sample(pids, 0)
    assert len(pids) == 3
    # Each worker adds its share of the 200 MiB, which is a third, and not all of it.
    assert sample.used < 400 * MIB


def test_process_that_has_ended_is_left_out() -> None:
    sample = HostDevice(2**30).sample([2**22 + 1], 0)
    assert (sample.processes, sample.used) == ((), 0)
    assert memory_of(2**22 + 1) is None


def test_utilisation_is_unknown_at_first_and_then_a_share() -> None:
    device = HostDevice(2**30)
    assert device.sample([], 0).utilization is None
    sum(range(3_000_000))
    share = device.sample([], 0).utilization
    assert share is None or 0 <= share <= 1.01


def test_capacity_must_be_positive() -> None:
    with pytest.raises(ValueError, match="set host_capacity"):
        HostDevice(0)


def test_default_capacity_is_the_machines_memory() -> None:
    assert default_capacity() > 2**28
    HostDevice(default_capacity()).close()
