"""Which run gets which device, and when.

A GPU is given to one run at a time, first come first served; host memory is shared by all.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.devices.base import DeviceInfo, DeviceKind


class NoSuchDeviceError(Exception):
    """A run asks for a device that this machine does not have."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits; `device` is the id that it asked for, or None for any."""

    run_id: str
    device: str | None


def grants(
    waiting: Sequence[Waiting], devices: Sequence[DeviceInfo], held: dict[str, str]
) -> list[tuple[str, str]]:
    """Who gets what now, as (run id, device id). Pure.

    `waiting` is in order of arrival and `held` maps a held GPU's id to its run. A run that asks for a
    busy device does not hold up those behind it that ask for another.
    """
    free = [device for device in devices if device.kind is DeviceKind.HOST or device.id not in held]
    given: list[tuple[str, str]] = []
    for run in waiting:
        match = next((device for device in free if run.device in (None, device.id)), None)
        if match is None:
            continue
        given.append((run.run_id, match.id))
        if match.kind is not DeviceKind.HOST:
            free.remove(match)
    return given


class DeviceQueue:
    """The ledger of handed-out devices: by ledger, not by free memory, for a run fills a GPU slowly."""

    def __init__(self, devices: Sequence[DeviceInfo]) -> None:
        self.devices = tuple(devices)
        self._held: dict[str, str] = {}
        self._waiting: dict[str, tuple[Waiting, asyncio.Future[str]]] = {}

    def check(self, device: str | None) -> None:
        """Raise `NoSuchDeviceError` for a device that is not here."""
        names = [info.id for info in self.devices]
        if device is not None and device not in names:
            raise NoSuchDeviceError(f"there is no device {device!r} here; there is {', '.join(names)}")

    def holder(self, device_id: str) -> str | None:
        """The run that holds a GPU."""
        return self._held.get(device_id)

    def hold(self, run_id: str, device_id: str) -> None:
        """Enter a device that a run already has, as after a restart of the daemon."""
        if self._info(device_id).kind is not DeviceKind.HOST:
            self._held[device_id] = run_id

    def join(self, run_id: str, device: str | None) -> "asyncio.Future[str]":
        """Stand in line; the future gives the device id."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[run_id] = (Waiting(run_id, device), future)
        self._grant()
        return future

    def leave(self, run_id: str) -> None:
        """Give back what the run holds, and its place in line. May be called twice."""
        self._waiting.pop(run_id, None)
        self._held = {device: holder for device, holder in self._held.items() if holder != run_id}
        self._grant()

    def _grant(self) -> None:
        line = [entry for entry, _ in self._waiting.values()]
        for run_id, device_id in grants(line, self.devices, self._held):
            _, future = self._waiting.pop(run_id)
            if not future.done():
                self.hold(run_id, device_id)
                future.set_result(device_id)

    def _info(self, device_id: str) -> DeviceInfo:
        return next(info for info in self.devices if info.id == device_id)
