"""What a daemon that starts again finds: the unfinished runs, and when each of them has been taken up."""

import asyncio
from collections.abc import Sequence

from supervisor.domain.run import Run
from supervisor.engine.conductor import Conductor
from supervisor.engine.journal import Beginning
from supervisor.store import attempts, events, runs
from supervisor.store.database import Connection


def unfinished(connection: Connection) -> list[tuple[Run, Beginning]]:
    """Each unfinished run with what its journal begins with, oldest first."""
    return [
        (
            run,
            Beginning(
                tuple(attempts.list_attempts(connection, run.id)),
                events.last_number(connection, run.id),
                restarted=True,
            ),
        )
        for run in runs.unfinished_runs(connection)
    ]


async def await_taken_up(conductors: Sequence[Conductor], timeout_s: float) -> list[str]:
    """Wait until each of them knows what became of its open attempt; the runs that do not after that time."""
    waits = [asyncio.ensure_future(conductor.taken_up.wait()) for conductor in conductors]
    if waits:
        await asyncio.wait(waits, timeout=timeout_s)
    for wait in waits:
        wait.cancel()
    return [conductor.journal.run.id for conductor in conductors if not conductor.taken_up.is_set()]
