"""The real binding against the stand-in library."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from supervisor.devices.base import DeviceError, DeviceKind
from supervisor.devices.nvml import NvmlSession
from supervisor.domain.reading import ProcessUse
from tests.nvml_standin import A10_TOTAL, GB, Standin, StandinDevice


@pytest.fixture
def session(gpu: Standin) -> Iterator[NvmlSession]:
    opened = NvmlSession.open()
    yield opened
    gpu.heal()
    opened.close()


def test_devices_tell_what_they_are(gpu: Standin) -> None:
    gpu.set_devices(
        StandinDevice(uuid="GPU-a"), StandinDevice(total=80 * GB, uuid="GPU-b", name="NVIDIA H100")
    )
    session = NvmlSession.open()
    first, second = (device.info for device in session.devices)
    session.close()
    session.close()
    assert (first.id, first.kind, first.total, first.uuid) == ("gpu0", DeviceKind.NVML, A10_TOTAL, "GPU-a")
    assert (second.id, second.name, second.total) == ("gpu1", "NVIDIA H100", 80 * GB)


def test_sample_holds_memory_without_the_reserved_utilisation_and_processes(
    gpu: Standin, session: NvmlSession
) -> None:
    gpu.change(base_used=GB, reserved=300 * 2**20, utilization=37)
    gpu.hold(os.getpid(), 8 * GB)
    sample = session.devices[0].sample((), 12.5)
    assert (sample.at, sample.total, sample.used, sample.utilization) == (12.5, A10_TOTAL, 9 * GB, 0.37)
    assert sample.processes == (ProcessUse(os.getpid(), 8 * GB),)


def test_process_in_both_lists_counts_once_and_one_without_a_figure_stays_unknown(
    gpu: Standin, session: NvmlSession
) -> None:
    gpu.hold(os.getpid(), 2 * GB)
    gpu.hold(os.getpid(), 2 * GB, kind="graphics")
    gpu.hold(os.getppid(), None)
    found = session.devices[0].sample((), 0).processes
    assert found is not None
    assert set(found) == {ProcessUse(os.getpid(), 2 * GB), ProcessUse(os.getppid(), None)}


def test_memory_of_a_process_goes_with_it(gpu: Standin, session: NvmlSession) -> None:
    with subprocess.Popen(["sleep", "30"]) as child:
        gpu.hold(child.pid, GB)
        assert session.devices[0].sample((), 0).used == GB
        child.kill()
    assert session.devices[0].sample((), 0).used == 0


@pytest.mark.parametrize("function", ["Compute", "Graphics"])
def test_list_that_is_not_permitted_is_none(gpu: Standin, session: NvmlSession, function: str) -> None:
    gpu.fail(f"nvmlDeviceGet{function}RunningProcesses", "NO_PERMISSION")
    assert session.devices[0].sample((), 0).processes is None


def test_utilisation_that_fails_is_none(gpu: Standin, session: NvmlSession) -> None:
    gpu.fail("nvmlDeviceGetUtilizationRates", "NOT_SUPPORTED")
    assert session.devices[0].sample((), 0).utilization is None


def test_driver_without_the_second_version_of_the_call_is_read_by_the_first(
    gpu: Standin, session: NvmlSession
) -> None:
    gpu.fail("nvmlDeviceGetMemoryInfo_v2", "FUNCTION_NOT_FOUND")
    gpu.change(base_used=GB, reserved=GB)
    assert session.devices[0].sample((), 0).used == 2 * GB


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        ("UNKNOWN", True),
        ("TIMEOUT", True),
        ("GPU_IS_LOST", False),
        ("RESET_REQUIRED", False),
        ("LIB_RM_VERSION_MISMATCH", False),
        ("NO_PERMISSION", False),
    ],
)
def test_memory_that_fails_is_no_sample_and_says_whether_to_try_again(
    gpu: Standin, session: NvmlSession, error: str, retryable: bool
) -> None:
    gpu.fail_memory(error)
    with pytest.raises(DeviceError, match="gpu0 cannot tell its memory") as raised:
        session.devices[0].sample((), 0)
    assert raised.value.retryable is retryable
    gpu.heal()
    assert session.devices[0].sample((), 0).total == A10_TOTAL


def test_driver_that_is_not_loaded_says_what_to_do(gpu: Standin) -> None:
    gpu.fail("nvmlInit", "DRIVER_NOT_LOADED")
    with pytest.raises(DeviceError, match="driver is not loaded; run nvidia-smi"):
        NvmlSession.open()


def test_failure_after_the_start_closes_what_was_opened(gpu: Standin) -> None:
    gpu.fail("nvmlDeviceGetName", "GPU_IS_LOST")
    with pytest.raises(DeviceError, match="reboot"):
        NvmlSession.open()
    gpu.heal()
    gpu.fail("nvmlDeviceGetCount", "UNKNOWN")
    with pytest.raises(DeviceError, match="cannot be counted"):
        NvmlSession.open()


def test_closing_one_device_closes_the_session_once(gpu: Standin) -> None:
    gpu.set_devices(StandinDevice(), StandinDevice())
    session = NvmlSession.open()
    for device in session.devices:
        device.close()
    with pytest.raises(DeviceError, match="NVML was shut down"):
        session.devices[0].sample((), 0)


def test_malformed_state_is_an_unknown_error(gpu: Standin, session: NvmlSession) -> None:
    (gpu.directory / "devices").write_text("nonsense\n")
    with pytest.raises(DeviceError):
        session.devices[0].sample((), 0)
