"""A run's record: what is in memory and what is in the store, kept in step.

What is acted on goes through `record`: one transaction for the run, its attempt and the events, done
before the call returns. What was only seen, such as progress, goes through `note`: told at once, and
stored a moment later together with what other runs have noted. A daemon that is killed in that moment
reads the same lines of the log again.
"""

from collections import deque
from dataclasses import dataclass, replace

from supervisor.domain.events import Event, EventBody, data_of
from supervisor.domain.progress import Observed
from supervisor.domain.run import Attempt, AttemptOutcome, Run, Stage
from supervisor.domain.sizing import Trial
from supervisor.engine.committer import Committer
from supervisor.engine.config import Clock
from supervisor.engine.hub import Hub
from supervisor.store.changes import Change

_RECENT = 256  # events kept for those who follow closely
# Numbers that a killed daemon may have told and not stored are not given out again.
_GAP_AFTER_RESTART = 100


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a journal begins with: a run's attempts so far and the number of its last event, if any."""

    attempts: tuple[Attempt, ...] = ()
    last_event: int = 0
    restarted: bool = False


class Journal:
    """The one writer of a run. `recent` holds its newest events, numbered without gaps."""

    def __init__(self, committer: Committer, hub: Hub, clock: Clock, run: Run, beginning: Beginning) -> None:
        self._committer = committer
        self._hub = hub
        self._clock = clock
        self._number = beginning.last_event + (_GAP_AFTER_RESTART if beginning.restarted else 0)
        self._run = run
        self._observed: Observed | None = None
        self.attempts = list(beginning.attempts)
        self.recent: deque[Event] = deque(maxlen=_RECENT)

    @property
    def run(self) -> Run:
        """The run as it is now, with the newest picture of it."""
        if self._observed is not None:
            self._run = replace(self._run, observed=self._observed)
            self._observed = None
        return self._run

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt of either stage."""
        return self.attempts[-1] if self.attempts else None

    @property
    def last_number(self) -> int:
        """The highest event number given out, by a daemon before this one included."""
        return self._number

    def log_trimmed(self, stage: Stage, number: int) -> int:
        """How many bytes of the start of that attempt's log are gone, or are about to go."""
        of = (item.log_trimmed for item in self.attempts if (item.stage, item.number) == (stage, number))
        return next(of, 0)

    def now(self) -> float:
        """Unix seconds, for `…_at` fields."""
        return self._clock.wall()

    def trials(self) -> list[Trial]:
        """What the training attempts so far taught about memory."""
        training = [attempt for attempt in self.attempts if attempt.stage is Stage.TRAINING]
        requested = [False, *(_gave_way_on_request(attempt) for attempt in training)]
        return [
            Trial(
                attempt.batch_size,
                _memory_taught(attempt),
                out_of_memory=attempt.outcome is AttemptOutcome.OUT_OF_MEMORY,
                requested=asked,
            )
            for attempt, asked in zip(training, requested, strict=False)
            if attempt.batch_size is not None
        ]

    def observe(self, observed: Observed) -> None:
        """Keep the newest picture in memory; it is stored with what comes next.

        Pictures come more often than anyone looks, so the run is brought up to date when somebody does.
        """
        self._observed = observed

    async def record(
        self, *bodies: EventBody, run: Run | None = None, attempt: Attempt | None = None
    ) -> None:
        """Store the changed run and attempt and these events in one transaction; raises `StoreError`."""
        changed = run or self.run
        events = self._numbered(bodies, changed, attempt)
        await self._committer.commit(Change(changed, attempt, tuple(events)))
        self._accept(changed, attempt, events)

    def note(self, *bodies: EventBody, attempt: Attempt) -> None:
        """Tell of these events now, and have them stored within a moment."""
        events = self._numbered(bodies, self.run, attempt)
        self._committer.commit_soon(Change(self.run, attempt, tuple(events)))
        self._accept(self.run, attempt, events)

    def _numbered(self, bodies: tuple[EventBody, ...], run: Run, attempt: Attempt | None) -> list[Event]:
        at = self.now()
        number = attempt.number if attempt is not None else run.attempt or None
        events = [
            Event(self._number + index, at, body.type, number, data_of(body))
            for index, body in enumerate(bodies, 1)
        ]
        self._number += len(events)
        return events

    def _accept(self, run: Run, attempt: Attempt | None, events: list[Event]) -> None:
        self._run = run
        self.recent.extend(events)
        if attempt is not None:
            self._keep(attempt)
        self._hub.changed(run.id)

    def _keep(self, attempt: Attempt) -> None:
        for index, known in enumerate(self.attempts):
            if (known.stage, known.number) == (attempt.stage, attempt.number):
                self.attempts[index] = attempt
                return
        self.attempts.append(attempt)


def _gave_way_on_request(attempt: Attempt) -> bool:
    intent = attempt.intent
    return attempt.outcome is AttemptOutcome.SUPERSEDED and intent is not None and intent.relaunch


def _memory_taught(attempt: Attempt) -> int | None:
    """What the attempt's size holds. One cut short by a caller before its verdict may not have filled up."""
    if attempt.verdict and attempt.verdict.measured:
        return attempt.verdict.measured
    return None if _gave_way_on_request(attempt) else attempt.peak
