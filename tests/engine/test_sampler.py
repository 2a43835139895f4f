"""The sampler by itself: who gets a look, and who does not."""

import asyncio
import threading
from collections.abc import Iterable

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import DeviceSample
from supervisor.engine.config import Clock, Timeouts
from supervisor.engine.sampler import Look, Sampler, Watched


class SlowDevice:
    """A device whose reading takes until it is released."""

    info = DeviceInfo(id="slow", kind=DeviceKind.HOST, name="slow", total=100)

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.release = threading.Event()

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:  # noqa: ARG002 - the protocol has it
        self.asked.set()
        self.release.wait(20)
        return DeviceSample("slow", now, 100, 10, None, ())

    def close(self) -> None:
        pass


async def test_who_left_during_a_look_is_not_told_of_it() -> None:
    device = SlowDevice()
    recorded = asyncio.Event()

    async def record(rows: list[tuple[Watched, RunSample]]) -> None:
        recorded.set()

    timeouts = Timeouts(device_read_s=20)
    sampler = Sampler({"slow": device}, every_s=60, clock=Clock(), timeouts=timeouts, record=record)
    looks: list[Look] = []
    unwatch = sampler.watch(Watched("run", 1, "slow", 1, 1, None), looks.append)
    sampling = asyncio.create_task(sampler.run())
    await asyncio.to_thread(device.asked.wait, 20)
    unwatch()
    device.release.set()
    await asyncio.wait_for(recorded.wait(), 20)
    sampling.cancel()
    sampler.close()
    assert looks == []
