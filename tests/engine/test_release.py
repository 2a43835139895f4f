"""Before a relaunch the device must have forgotten the attempt that ended: waited for, but not for ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.events import Event
from supervisor.domain.run import Reason, RunState
from supervisor.engine.config import Timeouts
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, until
from tests.hungdisk import HungDisk
from tests.nvml_standin import GB, Standin

ENDLESS = "import time\nBATCH_SIZE = 64\nprint('Epoch 1/2', flush=True)\ntime.sleep(60)\n"
Write = Callable[..., Path]


@pytest.fixture
async def engine(gpu: Standin, open_here: OpenEngine) -> AsyncIterator[Engine]:
    async with open_here(device="nvml", timeouts=Timeouts(release_s=1.5)) as opened:
        yield opened
        for live in opened.live_runs():
            await opened.stop(await opened.find(live.run.id), 0)
            await ended(opened, live.run.id)


async def started(engine: Engine, gpu: Standin, path: Path) -> tuple[str, int]:
    """A run that trains, and the pid of its script, once a look at the device has seen it."""
    wanted: dict[str, Any] = {"grace_s": 1, "checkpoint": {"after_s": 60}}
    run_id = (await engine.submit(Submission(script=str(path), **wanted))).id
    await event_seen(engine, run_id, "progress")
    pid = (await engine.attempts(run_id))[0].pid
    assert pid is not None
    gpu.hold(pid, GB)
    async with asyncio.timeout(30):
        while (await engine.find(run_id)).observed.measured is None:
            await asyncio.sleep(0.01)
    return run_id, pid


async def relaunched(engine: Engine, run_id: str) -> list[Event]:
    """The events from the first attempt's end to the second one's start."""
    async with asyncio.timeout(30):
        while len(await engine.attempts(run_id)) < 2 or (await engine.attempts(run_id))[1].pid is None:
            await asyncio.sleep(0.01)
    events = await engine.events(run_id, 0, 500)
    first = next(event.number for event in events if event.type == "attempt_ended")
    return [event for event in events if event.number > first]


async def test_relaunch_waits_until_the_device_lists_none_of_the_tree(
    engine: Engine, gpu: Standin, script: Write
) -> None:
    run_id, pid = await started(engine, gpu, script(ENDLESS))
    gpu.linger(pid, GB)
    await engine.relaunch(await engine.find(run_id))
    await event_seen(engine, run_id, "attempt_ended")
    await asyncio.sleep(0.3)
    assert len(await engine.attempts(run_id)) == 1
    gpu.forget(pid)
    released = [event for event in await relaunched(engine, run_id) if event.type == "device_released"]
    assert len(released) == 1
    assert 0.2 < released[0].data["waited_s"] < 30


async def test_wait_ends_at_its_bound_with_a_warning(engine: Engine, gpu: Standin, script: Write) -> None:
    run_id, pid = await started(engine, gpu, script(ENDLESS))
    gpu.linger(pid, GB)
    await engine.relaunch(await engine.find(run_id))
    events = await relaunched(engine, run_id)
    assert [event.data["code"] for event in events if event.type == "warning"] == ["device_not_released"]
    assert "device_released" not in [event.type for event in events]


async def test_device_that_cannot_be_read_at_that_moment_is_asked_again(
    engine: Engine, gpu: Standin, script: Write
) -> None:
    run_id, _ = await started(engine, gpu, script(ENDLESS))
    gpu.fail_memory("TIMEOUT")
    await engine.relaunch(await engine.find(run_id))
    await event_seen(engine, run_id, "attempt_ended")
    await asyncio.sleep(0.3)
    assert len(await engine.attempts(run_id)) == 1
    gpu.heal()
    assert "device_released" in [event.type for event in await relaunched(engine, run_id)]


@pytest.mark.parametrize("lists", ["strangers", "nothing"])
async def test_pids_of_others_and_a_missing_list_are_not_waited_for(
    engine: Engine, gpu: Standin, script: Write, lists: str
) -> None:
    run_id, _ = await started(engine, gpu, script(ENDLESS))
    if lists == "strangers":
        gpu.linger(2**22 + 7, GB)  # as of another namespace
    else:
        gpu.fail("nvmlDeviceGetComputeRunningProcesses", "NOT_SUPPORTED")
    began = time.monotonic()
    await engine.relaunch(await engine.find(run_id))
    assert "device_released" in [event.type for event in await relaunched(engine, run_id)]
    assert time.monotonic() - began < 30
    gpu.heal()


async def test_unkillable_holds_the_run_and_its_device_over_a_restart(
    open_here: OpenEngine, script: Write, hung_disk: HungDisk
) -> None:
    path = script(
        f"""
        import os, time
        child = os.fork()
        if child == 0:
            os.stat({str(hung_disk.path / "file")!r})
        print("Epoch 1/2", flush=True)
        time.sleep(60)
        """
    )
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path), checkpoint={"after_s": 60}))).id
        await event_seen(engine, run_id, "progress")
        async with asyncio.timeout(20):
            while not hung_disk.asked.is_set():
                await asyncio.sleep(0.01)
        await engine.stop(await engine.find(run_id), 0)
        await until(engine, run_id, lambda run: run.reason is Reason.UNKILLABLE)
    async with open_here() as engine:
        stuck = await until(engine, run_id, lambda run: run.reason is Reason.UNKILLABLE)
        assert stuck.state is RunState.STOPPING
        await asyncio.sleep(0.5)
        assert not (await engine.find(run_id)).state.ended
        hung_disk.let_go()
        assert (await ended(engine, run_id)).state is RunState.STOPPED
