"""Stopping a whole tree through its shim: who gets SIGTERM, who SIGKILL, and what cannot be killed."""

import signal
import sys
import time
from pathlib import Path

import pytest

from supervisor.process.attempt import read_exit
from supervisor.process.procfs import scan_processes
from supervisor.process.tree import running
from tests.daemon import eventually
from tests.hungdisk import HungDisk
from tests.process.scripts import Launch, log_of

RE_SESSIONED = """
import os, signal, sys, time

def apart(work):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            work()
        os._exit(0)
    os.wait()
"""


async def test_grace_is_the_whole_trees_and_each_gets_one_sigterm(launch: Launch) -> None:
    process = await launch(
        RE_SESSIONED
        + """
def save():
    asked = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    print("ready")
    while not asked:
        time.sleep(0.01)
    until = time.monotonic() + 2.5  # longer than what outlives a script by itself is given
    while time.monotonic() < until:
        time.sleep(0.01)
    print("saved", len(asked))
apart(save)
time.sleep(60)
"""
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(20)
    end = await process.wait()
    assert (end.signal, end.stop_requested, end.leftovers_killed) == (signal.SIGTERM, True, 1)
    assert log_of(process) == "ready\nsaved 1\n"


async def test_script_that_is_in_a_step_still_has_its_workers(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, time
        ours, theirs = os.pipe()
        if os.fork() == 0:
            while True:
                os.write(theirs, b"batch\\n")
                time.sleep(0.1)
        os.close(theirs)
        asked = []
        signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
        print("ready")
        batches = os.fdopen(ours)
        while not asked:
            next(batches)
        print(sum(1 for _, batch in zip(range(5), batches)))
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(20)
    end = await process.wait()
    assert log_of(process) == "ready\n5\n"
    assert (end.code, end.leftovers_killed) == (0, 1)


async def test_others_of_the_tree_get_sigterm_before_the_grace_is_over(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, sys, time
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, lambda *_: (print("saved"), os._exit(0)))
            print("ready")
            time.sleep(60)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.wait()
        sys.exit(4)
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(2)
    assert (await process.wait()).code == 4
    assert log_of(process) == "ready\nsaved\n"


async def test_stopped_child_is_continued_so_that_it_gets_its_sigterm(launch: Launch) -> None:
    process = await launch(
        RE_SESSIONED
        + """
def stand():
    signal.signal(signal.SIGTERM, lambda *_: (print("saved"), os._exit(0)))
    print(os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)
apart(stand)
time.sleep(60)
"""
    )
    pid = eventually(lambda: int(log_of(process) or 0))
    eventually(lambda: Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    await process.stop(20)
    await process.wait()
    assert log_of(process) == f"{pid}\nsaved\n"


async def test_child_that_leaves_during_the_grace_is_found(launch: Launch) -> None:
    process = await launch(
        RE_SESSIONED
        + """
def hide():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid())
    time.sleep(60)
def leave(*_):
    apart(hide)
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
print(0)
time.sleep(60)
"""
    )
    eventually(lambda: log_of(process) == "0\n")
    await process.stop(1)
    end = await process.wait()
    pid = int(log_of(process).split()[-1])
    assert end.leftovers_killed == 1
    assert pid != 0
    assert not running(pid)


async def test_later_stop_without_grace_ends_what_outlives_the_script(launch: Launch) -> None:
    process = await launch(
        RE_SESSIONED
        + """
def stay():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready")
    time.sleep(60)
apart(stay)
time.sleep(60)
"""
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(50)
    eventually(lambda: not running(process.started.pid))
    await process.stop(0)
    assert (await process.wait()).leftovers_killed == 1


async def test_process_whose_first_thread_has_ended_is_alive_and_stopped(launch: Launch) -> None:
    process = await launch(
        """
        import ctypes, platform, threading, time
        threading.Thread(target=time.sleep, args=(60,)).start()
        print("ready")
        ctypes.CDLL(None).syscall({"x86_64": 60}.get(platform.machine(), 93), 0)
        """
    )
    stat = Path(f"/proc/{process.started.pid}/stat")
    eventually(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")
    assert running(process.started.pid)
    await process.stop(20)
    assert (await process.wait()).signal == signal.SIGTERM


async def test_processes_that_fork_and_end_without_pause_are_caught(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        while True:
            if os.fork() == 0:
                os.setsid()
                while os.fork() == 0:  # the child goes on, the parent ends
                    time.sleep(0.001)
                os._exit(0)
            os.wait()
            time.sleep(0.05)
        """
    )
    eventually(lambda: log_of(process) == "ready\n")
    await process.stop(0.3)
    await process.wait()
    words = f"TRAIND_ATTEMPT={process.directory.parent.name}".encode()
    assert [found.pid for found in scan_processes() if words in environment(found.pid)] == []


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


@pytest.mark.workload
async def test_workers_of_a_data_loader_end_with_the_script_that_saves_first(launch: Launch) -> None:
    process = await launch(
        """
        import os, signal, sys, time
        import torch
        from torch.utils.data import DataLoader, Dataset

        class Data(Dataset):
            def __len__(self):
                return 1_000_000
            def __getitem__(self, index):
                time.sleep(0.001)
                return torch.tensor([index])

        def save(*_):
            torch.save({"epoch": 1}, "partial.pt")
            print("saved")
            sys.exit(0)

        if __name__ == "__main__":
            signal.signal(signal.SIGTERM, save)
            loader = DataLoader(Data(), batch_size=4, num_workers=2, persistent_workers=True)
            for number, _ in enumerate(loader):
                if number == 3:
                    print("training")
        """,
        python=sys.executable,
    )
    eventually(lambda: "training" in log_of(process))
    workers = process.members() - {process.started.pid}
    assert len(workers) >= 2
    await process.stop(30)
    end = await process.wait()
    assert end.stop_requested
    assert "saved" in log_of(process)
    assert (process.directory.parent / "partial.pt").exists()
    assert not any(running(pid) for pid in workers)


async def test_what_cannot_be_killed_is_named_and_not_waited_for(launch: Launch, hung_disk: HungDisk) -> None:
    process = await launch(
        f"""
        import os, time
        child = os.fork()
        if child == 0:
            os.stat({str(hung_disk.path / "file")!r})
            time.sleep(60)
        print(child)
        time.sleep(60)
        """
    )
    child = eventually(lambda: int(log_of(process) or 0))
    eventually(hung_disk.asked.is_set)
    began = time.monotonic()
    await process.stop(0)
    end = await process.wait()
    assert end.unkillable == (child,)
    assert time.monotonic() - began < 30
    recorded = read_exit(process.directory)
    assert recorded is not None
    assert recorded.unkillable == (child,)
    hung_disk.let_go()
    eventually(lambda: not running(child))
    recorded = read_exit(process.directory)
    assert recorded is not None
    assert recorded.unkillable == ()
