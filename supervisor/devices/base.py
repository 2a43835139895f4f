"""What every device can do, and how it fails."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from supervisor.domain.reading import DeviceSample


class DeviceKind(StrEnum):
    NVML = "nvml"
    HOST = "host"
    MISSING = "missing"  # a live run has it, and this start of the daemon did not find it


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device is. `id` names it in settings, submissions and answers; `total` is bytes."""

    id: str
    kind: DeviceKind
    name: str
    total: int
    uuid: str | None = None


class DeviceError(Exception):
    """A device could not be read. `retryable` says whether the next sample may succeed."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class Device(Protocol):
    """A place where memory is measured. Calls may block: they belong in a worker thread."""

    @property
    def info(self) -> DeviceInfo: ...

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:
        """One look at the device; raises `DeviceError`.

        `pids` are those whose use is asked for (a device that lists processes by itself may list
        more); `now` is the boot-time clock in seconds, put into the sample.
        """
        ...

    def close(self) -> None:
        """Let go of what the device holds open. May be called twice."""
        ...
