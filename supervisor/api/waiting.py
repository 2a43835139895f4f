"""Waiting for a run: bounded, level-triggered, ended by the run's end and by the daemon's."""

import asyncio
from enum import StrEnum

from supervisor.api.advice import advice, judged
from supervisor.api.schemas import WaitView
from supervisor.domain.run import Run, RunState
from supervisor.engine.engine import Engine

DEFAULT_WAIT_S = 25.0  # under the 30 s that many callers can block for
LONGEST_WAIT_S = 590.0  # under the 600 s that the most patient can


class WaitFor(StrEnum):
    """`checkpoint`: the current attempt has its verdict; `running`: the script runs; `finished`: it ended."""

    CHECKPOINT = "checkpoint"
    RUNNING = "running"
    FINISHED = "finished"


async def wait_for(engine: Engine, run: Run, wanted: WaitFor, timeout_s: float) -> tuple[Run, WaitView]:
    """The run once it is as wanted, has ended, or the time is over; and which of these it was."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    again = f"/v1/runs/{run.id}?wait_for={wanted}"
    while True:
        version = engine.hub.version(run.id)
        run = await engine.find(run.id)
        then = advice(run, engine.config.clock.wall()).url
        if reached(run, wanted):
            return run, WaitView(outcome="reached", next=then)
        if run.state.ended:
            return run, WaitView(outcome="ended", next=then)
        if engine.hub.closing.is_set():
            return run, WaitView(outcome="stopping", next=again)
        left = deadline - loop.time()
        if left <= 0:
            return run, WaitView(outcome="timeout", next=again)
        await engine.hub.wait_beyond(run.id, version, left)


def reached(run: Run, wanted: WaitFor) -> bool:
    """Whether the run is, at this moment, as wanted."""
    if wanted is WaitFor.FINISHED:
        return run.state.ended
    if wanted is WaitFor.CHECKPOINT:
        return judged(run)
    return run.state is RunState.RUNNING
