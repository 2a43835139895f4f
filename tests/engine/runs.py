"""Waiting on runs of an engine in the same loop."""

import asyncio
from collections.abc import Callable

from supervisor.domain.run import Run
from supervisor.engine.engine import Engine

LIMIT_S = 30.0


async def until(engine: Engine, run_id: str, true_of: Callable[[Run], bool]) -> Run:
    """The run as soon as `true_of` holds of it."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            version = engine.hub.version(run_id)
            run = await engine.find(run_id)
            if true_of(run):
                return run
            await engine.hub.wait_beyond(run_id, version, LIMIT_S)


async def ended(engine: Engine, run_id: str) -> Run:
    return await until(engine, run_id, lambda run: run.state.ended)


async def event_types(engine: Engine, run_id: str) -> list[str]:
    return [event.type for event in await engine.events(run_id, 0, 500)]


async def event_seen(engine: Engine, run_id: str, kind: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            version = engine.hub.version(run_id)
            if kind in await event_types(engine, run_id):
                return
            await engine.hub.wait_beyond(run_id, version, LIMIT_S)
