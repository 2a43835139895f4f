"""A run's record: what is in memory and what is in the store move together.

Every change goes through `record`: one transaction for the run, its attempt and the events, then the
word to those who wait. Nothing is acted on before the call has returned.
"""

from dataclasses import replace

from supervisor.domain.events import EventBody
from supervisor.domain.progress import Observed
from supervisor.domain.run import Attempt, Run, Stage
from supervisor.domain.sizing import Trial
from supervisor.engine.config import Clock
from supervisor.engine.hub import Hub
from supervisor.store import attempts as attempt_rows
from supervisor.store import events as event_rows
from supervisor.store import runs as run_rows
from supervisor.store.database import Connection, Database


class Journal:
    """The one writer of a run. `run` and `attempts` are always as the store has them, but for `observed`."""

    def __init__(self, database: Database, hub: Hub, clock: Clock, run: Run, attempts: list[Attempt]) -> None:
        self._database = database
        self._hub = hub
        self._clock = clock
        self.run = run
        self.attempts = attempts

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt of either stage."""
        return self.attempts[-1] if self.attempts else None

    def now(self) -> float:
        """Unix seconds, for `…_at` fields."""
        return self._clock.wall()

    def trials(self) -> list[Trial]:
        """What the training attempts so far taught about memory."""
        return [
            Trial(
                attempt.batch_size,
                attempt.verdict.measured if attempt.verdict and attempt.verdict.measured else attempt.peak,
                out_of_memory=attempt.outcome == "out_of_memory",
            )
            for attempt in self.attempts
            if attempt.stage is Stage.TRAINING and attempt.batch_size is not None
        ]

    def observe(self, observed: Observed) -> None:
        """Keep the newest picture in memory; it is stored with the next record."""
        self.run = replace(self.run, observed=observed)

    async def record(
        self, *bodies: EventBody, run: Run | None = None, attempt: Attempt | None = None
    ) -> None:
        """Store the changed run and attempt and these events in one transaction; raises `StoreError`."""
        changed = run or self.run
        at = self.now()
        number = attempt.number if attempt is not None else changed.attempt or None

        def work(connection: Connection) -> None:
            run_rows.update_run(connection, changed)
            if attempt is not None:
                attempt_rows.put_attempt(connection, changed.id, attempt)
            event_rows.append_events(connection, changed.id, [(at, number, body) for body in bodies])

        await self._database.write(work)
        self.run = changed
        if attempt is not None:
            self._keep(attempt)
        self._hub.changed(changed.id)

    def _keep(self, attempt: Attempt) -> None:
        for index, known in enumerate(self.attempts):
            if (known.stage, known.number) == (attempt.stage, attempt.number):
                self.attempts[index] = attempt
                return
        self.attempts.append(attempt)
