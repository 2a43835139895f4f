"""Looks at the devices once a period, for all live runs together.

One scan of the process table and one look a device serve every run. Reading happens in a thread of its
own: a driver that hangs stalls the readings, never the daemon.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from supervisor.devices.base import Device, DeviceError, DeviceKind
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import DeviceSample, attribute
from supervisor.engine.config import Clock, Timeouts
from supervisor.process.tree import ProcessTable, members

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """An attempt whose share of a device is asked for. `baseline` is bytes in use before launch."""

    run_id: str
    attempt: int
    device_id: str
    shim_pid: int
    leader_pid: int
    baseline: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought for one attempt: its own share, and the pids that it consists of."""

    sample: RunSample
    pids: frozenset[int]


class Sampler:
    """Samples while someone watches; idle otherwise."""

    def __init__(
        self,
        devices: Mapping[str, Device],
        *,
        every_s: float,
        clock: Clock,
        timeouts: Timeouts,
        record: Callable[[list[tuple[Watched, RunSample]]], Awaitable[None]],
    ) -> None:
        self.devices = devices
        self._record = record
        self._every_s = every_s
        self._clock = clock
        self._timeouts = timeouts
        self._watchers: dict[object, tuple[Watched, Callable[[Look], None]]] = {}
        self._someone = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devices")
        self._failing: dict[str, str] = {}
        self._turn = asyncio.Lock()
        self._last_call: asyncio.Future[Any] | None = None

    def watch(self, watched: Watched, deliver: Callable[[Look], None]) -> Callable[[], None]:
        """Deliver a look each period, until the returned function is called."""
        key = object()
        self._watchers[key] = (watched, deliver)
        self._someone.set()

        def unwatch() -> None:
            self._watchers.pop(key, None)
            if not self._watchers:
                self._someone.clear()

        return unwatch

    async def run(self) -> None:
        """Sample for ever; cancelled at the daemon's end."""
        while True:
            await self._someone.wait()
            began = self._clock.boottime()
            await self._look()
            took = self._clock.boottime() - began
            await asyncio.sleep(max(0.0, self._every_s - took))

    async def read(self, device_id: str, pids: Iterable[int] = ()) -> DeviceSample | None:
        """One look at one device now; None where it cannot be read."""
        asked = frozenset(pids)
        samples = await self._in_thread(lambda: self._sample_devices({device_id: asked}))
        return samples.get(device_id) if samples is not None else None

    async def wait_released(self, device_id: str, pids: frozenset[int]) -> float | None:
        """Wait until the device lists none of `pids`: the seconds waited, or None at the bound.

        A device that lists no processes has nothing to wait for; one that cannot be read now may list them
        when it can be again. Pids of another namespace are nobody's that is waited for.
        """
        if not pids or self.devices[device_id].info.kind in (DeviceKind.HOST, DeviceKind.MISSING):
            return 0.0
        began = self._clock.boottime()
        while True:
            sample = await self.read(device_id)
            waited = self._clock.boottime() - began
            if sample is not None and not pids & {use.pid for use in sample.processes or ()}:
                return waited
            if waited > self._timeouts.release_s:
                return None
            await asyncio.sleep(self._timeouts.release_poll_s)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        for device in self.devices.values():
            device.close()

    async def _look(self) -> None:
        keys, watchers = list(self._watchers), list(self._watchers.values())

        def look() -> tuple[dict[str, DeviceSample | None], list[frozenset[int]], frozenset[int]]:
            table = ProcessTable.scan()
            trees = [members(table, watched.shim_pid, watched.leader_pid) for watched, _ in watchers]
            asked: dict[str, frozenset[int]] = {}
            for (watched, _), tree in zip(watchers, trees, strict=True):
                asked[watched.device_id] = asked.get(watched.device_id, frozenset()) | tree
            return self._sample_devices(asked), trees, table.pids

        seen = await self._in_thread(look)
        unseen = frozenset[int]()
        samples, trees, visible = seen if seen is not None else ({}, [unseen] * len(watchers), unseen)
        rows: list[tuple[Watched, RunSample]] = []
        for key, (watched, deliver), tree in zip(keys, watchers, trees, strict=True):
            share = self._own_share(samples.get(watched.device_id), watched, tree, visible)
            rows.append((watched, share))
            # Who has left meanwhile must not write into what the next attempt begins with.
            if key in self._watchers:
                deliver(Look(share, tree))
        await self._record(rows)

    def _own_share(
        self, sample: DeviceSample | None, watched: Watched, tree: frozenset[int], visible: frozenset[int]
    ) -> RunSample:
        if sample is None:
            return RunSample(self._clock.boottime(), None, None)
        host = self.devices[watched.device_id].info.kind is DeviceKind.HOST
        measured = attribute(sample, tree, watched.baseline, visible=visible, host=host)
        return RunSample(sample.at, measured, sample.utilization)

    async def _in_thread(self, work: Callable[[], T]) -> T | None:
        """Run `work` in the devices' thread; None where it, or the call before it, hangs."""
        async with self._turn:
            if self._last_call is not None and not self._last_call.done():
                return None
            call = asyncio.get_running_loop().run_in_executor(self._thread, work)
            self._last_call = call
            try:
                async with asyncio.timeout(self._timeouts.device_read_s):
                    return await asyncio.shield(call)
            except TimeoutError:
                log.warning("a device does not answer; its readings are missing until it does")
                return None

    def _sample_devices(self, asked: Mapping[str, frozenset[int]]) -> dict[str, DeviceSample | None]:
        return {device_id: self._sample_one(device_id, pids) for device_id, pids in asked.items()}

    def _sample_one(self, device_id: str, pids: frozenset[int]) -> DeviceSample | None:
        try:
            sample = self.devices[device_id].sample(pids, self._clock.boottime())
        except DeviceError as error:
            if self._failing.get(device_id) != str(error):
                log.warning("device cannot be read", device=device_id, error=str(error))
            self._failing[device_id] = str(error)
            return None
        if self._failing.pop(device_id, None):
            log.info("device can be read again", device=device_id)
        return sample
