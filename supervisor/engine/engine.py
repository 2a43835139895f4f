"""The engine: what the API and the command line call. Starts the conductors and keeps them."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import structlog

from supervisor.devices.base import Device, DeviceInfo, DeviceKind
from supervisor.devices.missing import MissingDevice
from supervisor.domain.budget import deadline_of
from supervisor.domain.events import Event, EventBody, RunQueued, data_of
from supervisor.domain.report import AttemptKey, Usage
from supervisor.domain.run import Attempt, Run, RunState, Stage
from supervisor.engine.conductor import Conductor
from supervisor.engine.config import EngineConfig
from supervisor.engine.hub import Hub
from supervisor.engine.inbox import RelaunchAsked, StopAsked
from supervisor.engine.journal import Beginning, Journal
from supervisor.engine.parts import Parts
from supervisor.engine.queue import NoSuchDeviceError
from supervisor.engine.recovering import await_taken_up, unfinished
from supervisor.engine.requests import RequestRefusedError, relaunch_refusal
from supervisor.engine.restoring import Restored, restore_script
from supervisor.engine.reviewing import review_submission
from supervisor.engine.services import Services
from supervisor.engine.submission import Submission, SubmissionError, resolve
from supervisor.store import attempts as attempt_rows
from supervisor.store import events as event_rows
from supervisor.store import runs as run_rows
from supervisor.store import samples as sample_rows
from supervisor.store.database import Connection
from supervisor.store.idempotency import Remembered, RememberedRun, get_key, put_key
from supervisor.store.samples import SampleRow

log = structlog.get_logger(__name__)

_WORDS_KEPT = 200  # of what a caller gives as reason


class UnknownRunError(LookupError):
    """No run answers to this reference."""


class AmbiguousRunError(LookupError):
    """Several runs answer to this reference."""


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run that has not ended, and its newest attempt."""

    run: Run
    attempt: Attempt | None


class Engine:
    """Runs and their conductors. Made by `open_engine`."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._conductors: dict[str, Conductor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.parts = Parts()
        self.failures: dict[str, str] = {}
        self.notices: tuple[str, ...] = ()  # what people must be told about this start

    @property
    def config(self) -> EngineConfig:
        return self.services.config

    @property
    def hub(self) -> Hub:
        return self.services.hub

    async def recover(self) -> int:
        """Take up every unfinished run, all at once; the number of them. Belongs before the first submission.

        Returns once it is known what became of each open attempt, or after `timeouts.take_up_s`: what has
        not answered until then is taken up as soon as it does.
        """
        found = await self.services.database.read(unfinished)
        for run_id in found.unreadable:
            notice = f"run {run_id} cannot be read from the store and is not supervised; its files are kept"
            log.error(notice, path=str(self.services.state_dir.run_dir(run_id)))
            self.notices += (notice,)
        for run, beginning in found.runs:
            if run.device_id is not None and run.device_id not in self.services.devices:
                log.warning("the device of a run is missing", run=run.id, device=run.device_id)
                self.services.devices[run.device_id] = MissingDevice(run.device_id)
            self._start(run, beginning)
        late = await await_taken_up(list(self._conductors.values()), self.config.timeouts.take_up_s)
        if late:
            log.warning("runs are not taken up yet; the daemon goes on trying", runs=late)
        return len(found.runs)

    async def submit(
        self, submission: Submission, *, remember: Callable[[Run], Remembered] | None = None
    ) -> Run:
        """Take a submission and start to carry it; raises `SubmissionError` and `StoreError`.

        What `remember` makes of the run is stored with it, in one transaction; where its key is taken,
        `KeyTakenError` is raised and there is no run.
        """
        spec = await asyncio.to_thread(resolve, submission, self.config)
        try:
            self.services.queue.check(spec.device)
        except NoSuchDeviceError as error:
            raise SubmissionError("no_such_device", str(error)) from error
        reviewed = await review_submission(spec)
        now = self.config.clock.moment()
        deadline = deadline_of(spec.budget_s, now)
        run = Run(id=secrets.token_hex(6), spec=spec, created_at=now.wall, deadline=deadline)

        bodies: list[EventBody] = [RunQueued(spec.script, spec.device)]
        if reviewed is not None:
            bodies.append(reviewed)
        first = [
            Event(number, run.created_at, body.type, None, data_of(body))
            for number, body in enumerate(bodies, 1)
        ]

        remembered = remember(run) if remember is not None else None

        def work(connection: Connection) -> None:
            run_rows.insert_run(connection, run)
            event_rows.insert_events(connection, run.id, first)
            if remembered is not None:
                put_key(connection, remembered, run.id, run.created_at)

        await self.services.database.write(work)
        self._start(run, Beginning(last_event=len(first)))
        return run

    async def remembered(self, key: str) -> RememberedRun | None:
        """The submission made under this key, if it was made lately."""
        return await self.services.database.read(lambda connection: get_key(connection, key))

    async def find(self, reference: str) -> Run:
        """The run with this id, name or unique prefix, or the newest for `latest`.

        Raises `UnknownRunError` or `AmbiguousRunError`.
        """
        live = self._conductors.get(reference)
        if live is not None:
            return live.journal.run

        def work(connection: Connection) -> tuple[list[str], Run | None]:
            found = run_rows.find_runs(connection, reference)
            return found, run_rows.get_run(connection, found[0]) if len(found) == 1 else None

        found, run = await self.services.database.read(work)
        if len(found) > 1:
            raise AmbiguousRunError(
                f"{reference!r} fits {len(found)} runs: {', '.join(found[:5])}; send more of the id"
            )
        if run is None:
            raise UnknownRunError(f"there is no run {reference!r}; `GET /v1/runs` lists them")
        return self._freshest(run)

    async def runs(
        self,
        states: Collection[RunState] | None = None,
        *,
        limit: int = 50,
        before: tuple[float, str] | None = None,
    ) -> list[Run]:
        """Runs, newest first, from below `before` (creation time, id)."""
        found = await self.services.database.read(
            lambda connection: run_rows.list_runs(connection, states, limit, before)
        )
        return [self._freshest(run) for run in found]

    async def attempts(self, run_id: str) -> list[Attempt]:
        live = self._conductors.get(run_id)
        if live is not None:
            return list(live.journal.attempts)
        return await self.services.database.read(
            lambda connection: attempt_rows.list_attempts(connection, run_id)
        )

    async def events(self, run_id: str, after: int, limit: int) -> list[Event]:
        """Up to `limit` events numbered beyond `after`, in order."""
        live = self._conductors.get(run_id)
        recent = list(live.journal.recent) if live is not None else []
        if recent and recent[0].number <= after + 1:
            return [event for event in recent if event.number > after][:limit]
        stored = await self.services.database.read(
            lambda connection: event_rows.events_after(connection, run_id, after, limit)
        )
        # What was told and is not stored yet follows on what is.
        last = stored[-1].number if stored else after
        return (stored + [event for event in recent if event.number > last])[:limit]

    async def last_event(self, run_id: str) -> int:
        """The highest event number that anybody may have been told; 0 where there is none."""
        live = self._conductors.get(run_id)
        if live is not None:
            return live.journal.last_number
        return await self.services.database.read(
            lambda connection: event_rows.last_number(connection, run_id)
        )

    async def samples(self, run_id: str, points: int, attempt: int | None = None) -> list[SampleRow]:
        """At most `points` stored looks at the run, or at one of its attempts."""
        return await self.services.database.read(
            lambda connection: sample_rows.list_samples(connection, run_id, points, attempt)
        )

    async def attempt_usage(self, run_id: str) -> dict[AttemptKey, Usage]:
        """The mean and highest use of its device by each attempt of the run, over all stored samples."""
        attempts, now = await self.attempts(run_id), self.config.clock.wall()
        return await self.services.database.read(
            lambda connection: sample_rows.attempt_usage(connection, run_id, attempts, now)
        )

    async def events_of_types(self, run_id: str, types: Sequence[str], limit: int) -> list[Event]:
        """Of each type the newest `limit` stored events, in order; a live run's newest second may lack."""
        return await self.services.database.read(
            lambda connection: event_rows.newest_of_types(connection, run_id, types, limit)
        )

    async def state_counts(self) -> dict[RunState, int]:
        """How many runs are in each state."""
        return await self.services.database.read(run_rows.count_by_state)

    async def stop(self, run: Run, grace_s: float | None, if_attempt: int | None = None) -> Run:
        """Ask for a graceful stop; returns once it is on record. A run that has ended stays as it is.

        Raises `RequestRefusedError` where another attempt than `if_attempt` is current.
        """
        conductor = self._conductors.get(run.id)
        if conductor is None:
            return run
        grace_s = run.spec.grace_s if grace_s is None else grace_s
        answer = asyncio.get_running_loop().create_future()
        await conductor.ask(StopAsked(grace_s, answer, if_attempt))
        return conductor.journal.run

    async def relaunch(
        self,
        run: Run,
        *,
        batch_size: int | None = None,
        reason: str | None = None,
        if_attempt: int | None = None,
        grace_s: float | None = None,
    ) -> Run:
        """End the current attempt and launch the next one; returns once that is on record and edited.

        With `batch_size` the script as it is now is edited to it, without it is launched as it is.
        Raises `RequestRefusedError`, and then the run goes on untouched.
        """
        conductor = self._conductors.get(run.id)
        run = conductor.journal.run if conductor is not None else await self.find(run.id)
        attempt = conductor.journal.attempt if conductor is not None else None
        refused = relaunch_refusal(run, attempt, if_attempt)
        if conductor is None or refused is not None:
            raise refused or UnknownRunError(f"nothing carries run {run.id}")
        grace_s = run.spec.grace_s if grace_s is None else grace_s
        answer = asyncio.get_running_loop().create_future()
        why = reason[:_WORDS_KEPT] if reason is not None else None
        await conductor.ask(RelaunchAsked(grace_s, answer, if_attempt, batch_size, why))
        return conductor.journal.run

    async def restore(self, run: Run, *, force: bool = False) -> Restored:
        """Bring back the script that the run began with; raises `RequestRefusedError`."""
        run = await self.find(run.id)
        if not run.state.ended:
            raise RequestRefusedError("run_live", f"run {run.id} is {run.state}: stop it first, then restore")
        attempts = await self.attempts(run.id)
        return await asyncio.to_thread(
            restore_script,
            run,
            attempts,
            self.services.state_dir,
            force=force,
            allowed_roots=self.config.allowed_roots,
        )

    async def log_trimmed(self, run_id: str, stage: Stage, number: int) -> Callable[[], int]:
        """How many bytes of the log's start are gone: by now, and whenever it is called again."""
        live = self._conductors.get(run_id)
        if live is not None:
            return partial(live.journal.log_trimmed, stage, number)
        ended = {(of.stage, of.number): of.log_trimmed for of in await self.attempts(run_id)}
        return lambda: ended.get((stage, number), 0)

    def log_path(self, run_id: str, stage: Stage, number: int) -> Path:
        return self.services.state_dir.attempt_dir(run_id, stage, number) / "log"

    @property
    def devices(self) -> Mapping[str, Device]:
        """The devices that are here."""
        found = self.services.devices.items()
        return {name: device for name, device in found if device.info.kind is not DeviceKind.MISSING}

    def device_infos(self) -> list[DeviceInfo]:
        return [device.info for device in self.devices.values()]

    def live_runs(self, limit: int | None = None) -> list[LiveRun]:
        """The runs that have not ended, at most `limit`, newest first: they were put in by age."""
        newest = islice(reversed(self._conductors.values()), limit)
        return [LiveRun(conductor.journal.run, conductor.journal.attempt) for conductor in newest]

    @property
    def live(self) -> int:
        """How many runs have not ended."""
        return len(self._conductors)

    def live_ids(self) -> Collection[str]:
        """The runs that are carried now."""
        return self._conductors.keys()

    async def close(self) -> None:
        """Let go of every run, which goes on without the daemon."""
        self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, run: Run, beginning: Beginning) -> None:
        journal = Journal(self.services.committer, self.hub, self.config.clock, run, beginning)
        conductor = Conductor(self.services, journal)
        self._conductors[run.id] = conductor
        task = asyncio.create_task(self._keep_conducting(run.id, conductor), name=f"conductor {run.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_conducting(self, run_id: str, conductor: Conductor) -> None:
        """Conduct, and again after a failure: training goes on meanwhile, the record says where it stands."""
        loop, restart_s = asyncio.get_running_loop(), self.config.timeouts.conductor_restart_s
        while not conductor.journal.run.state.ended:
            # It fails at once or it works: what it cannot record, it cannot go beyond.
            works = loop.call_later(2 * restart_s, self.failures.pop, run_id, None)
            try:
                await conductor.conduct()
            except Exception as error:
                works.cancel()
                self.failures[run_id] = f"{type(error).__name__}: {error}"
                log.exception("a run's conductor failed and is started again", run=run_id)
                await asyncio.sleep(restart_s)
            finally:
                works.cancel()
        self.failures.pop(run_id, None)
        self._conductors.pop(run_id, None)
        self.hub.changed(run_id)

    def _freshest(self, run: Run) -> Run:
        live = self._conductors.get(run.id)
        return live.journal.run if live is not None else run
