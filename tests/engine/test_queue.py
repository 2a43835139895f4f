"""Which run gets which device: a GPU to one at a time, host memory to all."""

import asyncio

import pytest

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.engine.queue import DeviceQueue, NoSuchDeviceError, Waiting, grants

GPU_0 = DeviceInfo("gpu-0", DeviceKind.NVML, "A10", 24 * 10**9)
GPU_1 = DeviceInfo("gpu-1", DeviceKind.NVML, "A10", 24 * 10**9)
HOST = DeviceInfo("host", DeviceKind.HOST, "host memory", 16 * 10**9)
A, B, C = Waiting("a", None), Waiting("b", None), Waiting("c", None)


@pytest.mark.parametrize(
    ("waiting", "devices", "held", "expected"),
    [
        ([], [GPU_0], {}, []),
        ([A, B], [GPU_0], {}, [("a", "gpu-0")]),
        ([A, B], [GPU_0], {"gpu-0": "x"}, []),
        ([A, B, C], [GPU_0, GPU_1], {}, [("a", "gpu-0"), ("b", "gpu-1")]),
        ([A, B], [GPU_0, GPU_1], {"gpu-0": "x"}, [("a", "gpu-1")]),
        ([Waiting("a", "gpu-1"), B], [GPU_0, GPU_1], {}, [("a", "gpu-1"), ("b", "gpu-0")]),
        ([Waiting("a", "gpu-0"), B], [GPU_0, GPU_1], {"gpu-0": "x"}, [("b", "gpu-1")]),
        ([A, B, C], [HOST], {}, [("a", "host"), ("b", "host"), ("c", "host")]),
    ],
    ids=[
        "nobody waits",
        "first come first served",
        "busy",
        "two devices",
        "the free one",
        "as asked for",
        "a busy wish holds up nobody",
        "host memory is shared",
    ],
)
def test_devices_are_granted_in_order(
    waiting: list[Waiting],
    devices: list[DeviceInfo],
    held: dict[str, str],
    expected: list[tuple[str, str]],
) -> None:
    assert grants(waiting, devices, held) == expected


async def test_a_device_that_is_given_back_goes_to_the_next_in_line() -> None:
    queue = DeviceQueue([GPU_0])
    first, second, third = (queue.join(name, None) for name in "abc")
    assert first.result() == "gpu-0"
    assert queue.holder("gpu-0") == "a"
    queue.leave("b")
    queue.leave("a")
    queue.leave("a")
    assert third.result() == "gpu-0"
    assert not second.done()


async def test_one_who_went_away_is_passed_over() -> None:
    queue = DeviceQueue([GPU_0])
    queue.hold("x", "gpu-0")
    gone, waiting = queue.join("a", None), queue.join("b", None)
    gone.cancel()
    queue.leave("x")
    queue.leave("a")
    assert await asyncio.wait_for(waiting, 1) == "gpu-0"


def test_a_device_that_is_not_here_is_named_with_those_that_are() -> None:
    with pytest.raises(NoSuchDeviceError, match="there is no device 'gpu-7' here; there is gpu-0, gpu-1"):
        DeviceQueue([GPU_0, GPU_1]).check("gpu-7")
