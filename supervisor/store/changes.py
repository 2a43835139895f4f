"""A change of a run: the run as it is now, one of its attempts, and the events that tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.domain.events import Event
from supervisor.domain.run import Attempt, Run
from supervisor.store.attempts import put_attempt
from supervisor.store.database import Connection
from supervisor.store.events import insert_events
from supervisor.store.runs import update_run


@dataclass(frozen=True, slots=True)
class Change:
    run: Run
    attempt: Attempt | None
    events: tuple[Event, ...]


def write_changes(connection: Connection, changes: Sequence[Change]) -> None:
    """Store changes in their order; of several of one run only the last state of it is written."""
    runs: dict[str, Run] = {}
    attempts: dict[tuple[str, str, int], Attempt] = {}
    for change in changes:
        runs[change.run.id] = change.run
        if change.attempt is not None:
            key = (change.run.id, change.attempt.stage.value, change.attempt.number)
            attempts[key] = change.attempt
        insert_events(connection, change.run.id, change.events)
    for run in runs.values():
        update_run(connection, run)
    for (run_id, _, _), attempt in attempts.items():
        put_attempt(connection, run_id, attempt)
