"""What a daemon that starts again finds: the unfinished runs, and when each of them has been taken up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from supervisor.domain.run import Run
from supervisor.engine.conductor import Conductor
from supervisor.engine.journal import Beginning
from supervisor.store import attempts, events, runs
from supervisor.store.database import Connection


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The runs that have not ended, oldest first, with what their journals begin with.

    `unreadable` are those whose rows make no sense: their training goes on unwatched.
    """

    runs: tuple[tuple[Run, Beginning], ...]
    unreadable: tuple[str, ...]


def unfinished(connection: Connection) -> Unfinished:
    """What the store knows of runs that have not ended."""
    found, unreadable = [], []
    for run_id in runs.unfinished_ids(connection):
        try:
            run = runs.get_run(connection, run_id)
            begun = tuple(attempts.list_attempts(connection, run_id))
        except ValidationError:
            unreadable.append(run_id)
            continue
        if run is not None:
            found.append((run, Beginning(begun, events.last_number(connection, run_id), restarted=True)))
    return Unfinished(tuple(found), tuple(unreadable))


async def await_taken_up(conductors: Sequence[Conductor], timeout_s: float) -> list[str]:
    """Wait until each of them knows what became of its open attempt; the runs that do not after that time."""
    waits = [asyncio.ensure_future(conductor.taken_up.wait()) for conductor in conductors]
    if waits:
        await asyncio.wait(waits, timeout=timeout_s)
    for wait in waits:
        wait.cancel()
    return [conductor.journal.run.id for conductor in conductors if not conductor.taken_up.is_set()]
