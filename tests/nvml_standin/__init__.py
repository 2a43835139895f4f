"""A stand-in for NVIDIA's driver library, and a class that drives it.

NVIDIA's own `libnvidia-ml.so.1` cannot exist on a machine without a GPU. This one is built from
`nvml_standin.c` and answers from files in a directory, so the real binding and the real daemon run
against it. A subprocess finds it by `LD_LIBRARY_PATH`; in this process it is loaded by its path first,
after which the binding's own `dlopen("libnvidia-ml.so.1")` finds it by its soname.
"""

import ctypes
import hashlib
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

_SOURCE = Path(__file__).with_name("nvml_standin.c")
_SONAME = "libnvidia-ml.so.1"
GB = 10**9
A10_TOTAL = 23_028 * 2**20  # 24.15e9 bytes

ERROR_CODES = {
    "NOT_SUPPORTED": 3,
    "NO_PERMISSION": 4,
    "DRIVER_NOT_LOADED": 9,
    "TIMEOUT": 10,
    "FUNCTION_NOT_FOUND": 13,
    "GPU_IS_LOST": 15,
    "RESET_REQUIRED": 16,
    "LIB_RM_VERSION_MISMATCH": 18,
    "UNKNOWN": 999,
}


@dataclass(frozen=True, slots=True)
class StandinDevice:
    """Sizes in bytes; `base_used` is what others hold, `utilization` in percent."""

    total: int = A10_TOTAL
    base_used: int = 0
    reserved: int = 0
    utilization: int = 0
    uuid: str = "GPU-00000000-0000-0000-0000-000000000000"
    name: str = "NVIDIA A10"


class Standin:
    """The files that the library answers from."""

    def __init__(self, directory: Path, library: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._shared_object = library
        self.devices = [StandinDevice()]
        self._write_devices()

    def environment(self) -> dict[str, str]:
        """What a subprocess needs to find it."""
        return {"LD_LIBRARY_PATH": str(self._shared_object.parent), "NVML_STANDIN_DIR": str(self.directory)}

    def set_devices(self, *devices: StandinDevice) -> None:
        self.devices = list(devices)
        self._write_devices()

    def change(self, index: int = 0, **changes: object) -> None:
        self.devices[index] = replace(self.devices[index], **changes)  # type: ignore[arg-type] # by name
        self._write_devices()

    def hold(self, pid: int, used: int | None, *, device: int = 0, kind: str = "compute") -> None:
        """A process holds memory, as long as it lives; None: the driver does not say how much."""
        text = f"{device} {-1 if used is None else used} {kind}\n"
        self._write(f"process-{pid}-{device}{kind}", text)

    def linger(self, pid: int, used: int, *, device: int = 0) -> None:
        """A context that outlives its process, until `forget`."""
        self._write(f"lingering-{pid}-{device}", f"{device} {used} compute\n")

    def forget(self, pid: int, *, device: int = 0) -> None:
        (self.directory / f"lingering-{pid}-{device}").unlink()

    def fail(self, function: str, error: str) -> None:
        """Let a call fail: `fail("nvmlDeviceGetMemoryInfo_v2", "GPU_IS_LOST")`."""
        path = self.directory / "errors"
        before = path.read_text() if path.exists() else ""
        self._write("errors", f"{before}{function} {ERROR_CODES[error]}\n")

    def fail_memory(self, error: str) -> None:
        """Let both forms of the memory call fail."""
        self.fail("nvmlDeviceGetMemoryInfo", error)
        self.fail("nvmlDeviceGetMemoryInfo_v2", error)

    def heal(self) -> None:
        (self.directory / "errors").unlink(missing_ok=True)

    def _write_devices(self) -> None:
        lines = [
            f"{d.total} {d.base_used} {d.reserved} {d.utilization} {d.uuid} {d.name}\n" for d in self.devices
        ]
        self._write("devices", "".join(lines))

    def _write(self, name: str, text: str) -> None:
        beside = self.directory / f".{name}"
        beside.write_text(text)
        beside.replace(self.directory / name)


def build(cache: Path) -> Path:
    """Compile the library into `cache`, once for each version of its source; its path."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    library = cache / f"nvml-standin-{digest}" / _SONAME
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        beside = library.with_suffix(f".{os.getpid()}.tmp")  # several test processes may build it at once
        flags = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
        command = ["cc", *flags, f"-Wl,-soname,{_SONAME}", "-o", str(beside), str(_SOURCE)]
        subprocess.run(command, check=True)
        beside.replace(library)
    return library


def load(library: Path) -> None:
    """Make it the NVML of this process. The library reads `NVML_STANDIN_DIR` at every call."""
    ctypes.CDLL(str(library))
