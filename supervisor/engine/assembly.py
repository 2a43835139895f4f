"""All that an engine is made of, opened in order and closed in the reverse."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from supervisor.devices.base import Device
from supervisor.domain.progress import RunSample
from supervisor.engine.committer import Committer
from supervisor.engine.config import EngineConfig
from supervisor.engine.engine import Engine
from supervisor.engine.hub import Hub
from supervisor.engine.opening import open_store
from supervisor.engine.queue import DeviceQueue
from supervisor.engine.retention import keep_tidy
from supervisor.engine.sampler import Sampler, Watched
from supervisor.engine.services import Services
from supervisor.process.inotify import Inotify
from supervisor.store import samples as sample_rows
from supervisor.store.faults import StoreError
from supervisor.store.statedir import StateDir

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_engine(config: EngineConfig, devices: Mapping[str, Device]) -> AsyncIterator[Engine]:
    """Everything opened in order, and closed in the reverse: state directory, store, sampler, engine."""
    async with AsyncExitStack() as stack:
        state_dir = StateDir.open(config.state_dir)
        stack.callback(state_dir.close)
        database, notices = await open_store(state_dir, config.clock)
        stack.push_async_callback(database.close)

        async def record_samples(rows: list[tuple[Watched, RunSample]]) -> None:
            at = config.clock.wall()
            looks = [(watched.run_id, watched.attempt, sample) for watched, sample in rows]
            try:
                await database.write(lambda connection: sample_rows.insert_samples(connection, at, looks))
            except StoreError as error:
                log.warning("samples were not stored", error=str(error))

        here = dict(devices)
        sampler = Sampler(
            here,
            every_s=config.sample_every_s,
            clock=config.clock,
            timeouts=config.timeouts,
            record=record_samples,
        )
        stack.callback(sampler.close)
        inotify = Inotify()
        stack.callback(inotify.close)
        queue = DeviceQueue([device.info for device in devices.values()])
        committer = Committer(database)
        stack.push_async_callback(committer.flush)
        services = Services(config, state_dir, database, committer, Hub(), queue, sampler, inotify, here)
        engine = Engine(services)
        engine.notices = notices
        for name, work in (("sampler", sampler.run()), ("committer", committer.run())):
            stack.push_async_callback(_cancel, engine.parts.keep(name, work))
        stack.push_async_callback(engine.close)
        await engine.recover()
        tidying = asyncio.create_task(keep_tidy(services, engine.live_ids))
        stack.push_async_callback(_cancel, tidying)
        yield engine


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
