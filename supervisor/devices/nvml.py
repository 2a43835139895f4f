"""NVIDIA GPUs through NVML, by the real binding.

The binding is imported when a session is opened, so that a machine without a GPU does not pay for it.
"""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from supervisor.devices.base import DeviceError, DeviceInfo, DeviceKind
from supervisor.domain.reading import DeviceSample, ProcessUse

# What each error means for the next sample. Those named in neither list are worth another try.
_UNSUPPORTED = ("NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_NO_PERMISSION", "NVML_ERROR_FUNCTION_NOT_FOUND")
_FINAL = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": "NVIDIA's library libnvidia-ml.so.1 is not here; install the driver",
    "NVML_ERROR_DRIVER_NOT_LOADED": "the NVIDIA driver is not loaded; run nvidia-smi, or load it",
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": "driver and library differ in version; reboot after the update",
    "NVML_ERROR_NO_PERMISSION": "the NVIDIA devices may not be opened; check the mode of /dev/nvidia*",
    "NVML_ERROR_GPU_IS_LOST": "the GPU has fallen off the bus; reboot",
    "NVML_ERROR_RESET_REQUIRED": "the GPU must be reset: nvidia-smi --gpu-reset",
    "NVML_ERROR_UNINITIALIZED": "NVML was shut down; start traind again",
}


class NvmlSession:
    """NVML, initialised once for the daemon. `devices` are in NVML's order; `close` shuts it down."""

    def __init__(self, nvml: ModuleType, devices: list["NvmlDevice"]) -> None:
        self._nvml: ModuleType | None = nvml
        self.devices = devices

    @classmethod
    def open(cls) -> "NvmlSession":
        """Initialise NVML and find the GPUs; raises `DeviceError` with what to do."""
        import pynvml

        _call(pynvml, "NVML cannot be started", pynvml.nvmlInit)
        session = cls(pynvml, [])
        try:
            count = _call(pynvml, "the GPUs cannot be counted", pynvml.nvmlDeviceGetCount)
            session.devices = [NvmlDevice(session, pynvml, index) for index in range(count)]
        except DeviceError:
            session.close()
            raise
        return session

    def close(self) -> None:
        """Shut NVML down. May be called twice."""
        if self._nvml is not None:
            nvml, self._nvml = self._nvml, None
            _call(nvml, "NVML cannot be shut down", nvml.nvmlShutdown)


class NvmlDevice:
    """One GPU."""

    def __init__(self, session: NvmlSession, nvml: ModuleType, index: int) -> None:
        self._session = session
        self._nvml = nvml
        self._id = f"gpu{index}"
        self._handle = self._ask("be opened", nvml.nvmlDeviceGetHandleByIndex, index)
        self._lists_processes = True
        name = self._ask("tell its name", nvml.nvmlDeviceGetName, self._handle)
        uuid = self._ask("tell its UUID", nvml.nvmlDeviceGetUUID, self._handle)
        total = int(self._memory().total)
        self.info = DeviceInfo(self._id, DeviceKind.NVML, name, total, uuid)

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:  # noqa: ARG002 - NVML lists them by itself
        """Memory decides: without it there is no sample. Utilisation and processes may be missing."""
        memory = self._memory()
        return DeviceSample(
            device_id=self._id,
            at=now,
            total=int(memory.total),
            used=int(memory.used),
            utilization=self._utilization(),
            processes=self._processes(),
        )

    def close(self) -> None:
        """The session is one for all GPUs: the first that is closed ends it."""
        self._session.close()

    def _memory(self) -> Any:
        """Version 2 of the call keeps the driver's reserved memory out of `used`; older drivers lack it."""
        nvml = self._nvml
        try:
            return nvml.nvmlDeviceGetMemoryInfo(self._handle, version=nvml.nvmlMemory_v2)
        except nvml.NVMLError as error:
            if not _is_one_of(nvml, error, _UNSUPPORTED):
                raise self._failed("tell its memory", error) from error
        return self._ask("tell its memory", nvml.nvmlDeviceGetMemoryInfo, self._handle)

    def _utilization(self) -> float | None:
        try:
            return float(self._nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu) / 100
        except self._nvml.NVMLError:
            return None

    def _processes(self) -> tuple[ProcessUse, ...] | None:
        """A process with a compute and a graphics context stands in both lists with the same figure."""
        nvml = self._nvml
        found: dict[int, int | None] = {}
        for ask in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
            try:
                listed = ask(self._handle)
            except nvml.NVMLError:
                return None
            for entry in listed:
                known = found.get(entry.pid)
                used = None if entry.usedGpuMemory is None else int(entry.usedGpuMemory)
                found[entry.pid] = used if known is None else max(known, used or 0)
        return tuple(ProcessUse(pid, used) for pid, used in found.items())

    def _ask(self, what: str, function: Callable[..., Any], *arguments: object) -> Any:
        return _call(self._nvml, f"{self._id} cannot {what}", function, *arguments)

    def _failed(self, what: str, error: Exception) -> DeviceError:
        return _device_error(self._nvml, f"{self._id} cannot {what}", error)


def _call(nvml: ModuleType, what: str, function: Callable[..., Any], *arguments: object) -> Any:
    try:
        return function(*arguments)
    except nvml.NVMLError as error:
        raise _device_error(nvml, what, error) from error


def _device_error(nvml: ModuleType, what: str, error: Exception) -> DeviceError:
    for name, remedy in _FINAL.items():
        if _is_one_of(nvml, error, (name,)):
            return DeviceError(f"{what}: {remedy}", retryable=False)
    return DeviceError(f"{what}: {error}", retryable=True)


def _is_one_of(nvml: ModuleType, error: Exception, names: Iterable[str]) -> bool:
    value = getattr(error, "value", None)
    return any(getattr(nvml, name) == value for name in names)
