"""Processes as `/proc` shows them: who they are, whose they are, and signals that reach nobody else.

On the standard library alone, and little of it: the shim lives with what this imports.
"""

import os
import signal
import time

Identity = tuple[int, int]  # pid and start ticks: the same pid never comes with the same ticks again


class Process:
    """One row of the process table; `start_ticks` counts clock ticks since boot."""

    __slots__ = ("group", "pid", "ppid", "session", "start_ticks", "state", "threads")

    def __init__(self, pid: int, stat: bytes) -> None:
        # The command's name may hold anything, parentheses too: the fields begin behind the last one.
        fields = stat[stat.rindex(b")") + 2 :].split(None, 20)
        self.pid = pid
        self.state = fields[0]
        self.ppid = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.threads = int(fields[17])
        self.start_ticks = int(fields[19])

    @property
    def identity(self) -> Identity:
        return self.pid, self.start_ticks

    @property
    def runs(self) -> bool:
        """Whether it does. A zombie does not, unless it is only the first thread that has ended."""
        return self.state != b"X" and (self.state != b"Z" or self.threads > 1)


def read_process(pid: int) -> Process | None:
    """The process as it is now, or None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return Process(pid, file.read(4096))
    except (OSError, ValueError, IndexError):
        return None


def scan_processes() -> list[Process]:
    """All processes that can be seen."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def tree_of(processes: list[Process], root: int, leader: int) -> list[Process]:
    """Descendants of `root`, and whoever is in the leader's session or group; not `root` itself.

    With a subreaper as root this holds daemonised grandchildren too: they become its children.
    """
    children = children_of(processes)
    found = {p.pid: p for p in processes if leader in (p.session, p.group, p.pid)}
    pending = list(children.get(root, ()))
    while pending:
        process = pending.pop()
        found[process.pid] = process
        pending.extend(children.get(process.pid, ()))
    found.pop(root, None)
    return list(found.values())


def children_of(processes: list[Process]) -> dict[int, list[Process]]:
    """The processes by their parent's pid."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.ppid, []).append(process)
    return children


def own_children() -> list[int] | None:
    """Pids of this process' children, zombies too, or None where the kernel does not list them.

    Asked by the only thread of a process, that alone reaps them.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
            return [int(pid) for pid in file.read(1 << 20).split()]
    except OSError:
        return None


def alive(processes: list[Process]) -> list[Process]:
    """Those that still run."""
    return [process for process in processes if process.runs]


def is_same(identity: Identity) -> bool:
    """Whether exactly this process still runs."""
    process = read_process(identity[0])
    return process is not None and process.identity == identity and process.runs


def send(process: Process, number: int) -> bool:
    """Signal exactly this process: the pidfd first, then the comparison. False where it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        now = read_process(process.pid)
        if now is None or now.start_ticks != process.start_ticks:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
