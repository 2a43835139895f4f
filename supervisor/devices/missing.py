"""A device that a run was given and that is not here any more: training goes on, unmeasured."""

from collections.abc import Iterable

from supervisor.devices.base import DeviceError, DeviceInfo, DeviceKind
from supervisor.domain.reading import DeviceSample


class MissingDevice:
    """Stands in for the device of a live run after a restart that did not find it."""

    def __init__(self, device_id: str) -> None:
        self.info = DeviceInfo(device_id, DeviceKind.MISSING, "missing", 0)

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:  # noqa: ARG002 - the protocol names them
        """Always raises `DeviceError`: what cannot be read decides nothing."""
        raise DeviceError(f"device {self.info.id} is not here any more", retryable=False)

    def close(self) -> None:
        """Nothing is held open."""
