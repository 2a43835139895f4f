"""One look at the devices for those who ask from outside: memory, utilisation, holders, processes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.reading import ProcessUse
from supervisor.engine.engine import Engine, LiveRun
from supervisor.process.tree import ProcessTable, members


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device now. `owners` maps pids to the runs that they belong to; figures that are unknown are None."""

    info: DeviceInfo
    used: int | None
    utilization: float | None
    holders: tuple[str, ...]
    processes: tuple[ProcessUse, ...] | None
    owners: Mapping[int, str]


async def inspect_devices(engine: Engine) -> list[DeviceState]:
    """Every device that is here; one that does not answer is listed without figures."""
    live = engine.live_runs()
    trees = await asyncio.to_thread(_trees, live)
    return [await _inspect(engine, info, live, trees) for info in engine.device_infos()]


async def _inspect(
    engine: Engine, info: DeviceInfo, live: list[LiveRun], trees: Mapping[str, frozenset[int]]
) -> DeviceState:
    holders = tuple(item.run.id for item in live if item.run.device_id == info.id)
    pids = frozenset[int]().union(*(trees[run_id] for run_id in holders))
    sample = await engine.services.sampler.read(info.id, pids)
    owners = {pid: run_id for run_id in holders for pid in trees[run_id]}
    if sample is None:
        return DeviceState(info, None, None, holders, None, owners)
    listed = sample.processes if info.kind is DeviceKind.NVML else None
    return DeviceState(info, sample.used, sample.utilization, holders, listed, owners)


def _trees(live: list[LiveRun]) -> dict[str, frozenset[int]]:
    table = ProcessTable.scan()
    return {item.run.id: _tree(table, item) for item in live}


def _tree(table: ProcessTable, item: LiveRun) -> frozenset[int]:
    pid = item.attempt.pid if item.attempt is not None else None
    return members(table, pid, pid) | {pid} if pid is not None else frozenset()
