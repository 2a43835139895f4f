"""Host memory as a device: what a machine without a GPU measures.

Training on a CPU gives its activations back after each step, so the peak counts (VmHWM), not the
moment. Worker processes that were forked share most pages with their parent: of them only their
proportional share (Pss) counts. A process that leads its session is taken as a parent, the others as
workers.
"""

import os
from collections.abc import Iterable

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.reading import DeviceSample, ProcessUse

_KIB = 1024


class HostDevice:
    """Host memory up to `capacity` bytes; raises `ValueError` for a capacity that is not positive."""

    def __init__(self, capacity: int) -> None:
        if capacity <= 0:
            raise ValueError(
                f"a capacity of {capacity} bytes cannot hold a run; set host_capacity, such as 16GiB"
            )
        self.info = DeviceInfo("host", DeviceKind.HOST, "host memory", capacity)
        self._cpu: tuple[int, int] | None = None

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:
        """The memory of these processes; one that has ended meanwhile is left out."""
        found = [ProcessUse(pid, used) for pid in pids if (used := memory_of(pid)) is not None]
        return DeviceSample(
            device_id=self.info.id,
            at=now,
            total=self.info.total,
            used=sum(use.used or 0 for use in found),
            utilization=self._utilization(),
            processes=tuple(found),
        )

    def close(self) -> None:
        """Nothing is held open."""

    def _utilization(self) -> float | None:
        """The share of all cores' time that was not idle since the look before."""
        before, self._cpu = self._cpu, _cpu_times()
        if before is None:
            return None
        busy, total = self._cpu[0] - before[0], self._cpu[1] - before[1]
        return busy / total if total > 0 else None


def memory_of(pid: int) -> int | None:
    """Bytes that a process counts for, or None where there is none."""
    try:
        if os.getsid(pid) == pid:
            return _field(f"/proc/{pid}/status", b"VmHWM:")
        return _field(f"/proc/{pid}/smaps_rollup", b"Pss:")
    except PermissionError:
        return _or_none(f"/proc/{pid}/status", b"RssAnon:")
    except OSError:
        return None


def default_capacity() -> int:
    """The machine's physical memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _or_none(path: str, name: bytes) -> int | None:
    try:
        return _field(path, name)
    except OSError:
        return None


def _field(path: str, name: bytes) -> int | None:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - fifty of these a second
        text = file.read(8192)
    _, found, rest = text.partition(name)
    return int(rest.split(None, 1)[0]) * _KIB if found else None


def _cpu_times() -> tuple[int, int]:
    """Busy and all clock ticks of all cores since boot."""
    with open("/proc/stat", "rb", buffering=0) as file:  # noqa: PTH123 - likewise
        ticks = [int(field) for field in file.read(512).splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)
