"""Opens the devices that the settings ask for."""

from collections.abc import Mapping

import structlog

from supervisor.devices.base import Device, DeviceError
from supervisor.devices.host import HostDevice, default_capacity
from supervisor.devices.nvml import NvmlSession
from supervisor.engine.config import EngineConfig

log = structlog.get_logger(__name__)


def open_devices(config: EngineConfig) -> Mapping[str, Device]:
    """Devices by id. `auto` takes the GPUs where there are any, else host memory.

    Raises `DeviceError` where NVML is asked for and cannot be had, `ValueError` for a capacity of zero.
    """
    if config.device == "host":
        return _host(config)
    try:
        session = NvmlSession.open()
    except DeviceError as error:
        if config.device == "nvml":
            raise
        log.info("no NVIDIA GPU: host memory is measured instead", why=str(error))
        return _host(config)
    found: dict[str, Device] = {device.info.id: device for device in session.devices}
    if found or config.device == "nvml":
        return found
    return _host(config)


def _host(config: EngineConfig) -> Mapping[str, Device]:
    capacity = config.host_capacity if config.host_capacity is not None else default_capacity()
    device = HostDevice(capacity)
    return {device.info.id: device}
