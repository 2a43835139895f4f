"""One task a run: from the queue over any number of attempts to the end.

The course is read from the record at every turn, never from where the code happens to be: so a daemon
that starts again goes on exactly where the record stands.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import structlog

from supervisor.devices.base import DeviceKind
from supervisor.domain.budget import TimeLeft, stop_in, time_left
from supervisor.domain.course import End, Relaunch, StartFollowUp, after_attempt, with_artifacts
from supervisor.domain.events import (
    ArtifactsChecked,
    AttemptStarting,
    DeviceReleased,
    EventBody,
    RunEnded,
    RunStarting,
    RunStopping,
    ScriptEdited,
    Warned,
)
from supervisor.domain.progress import Observed
from supervisor.domain.run import (
    Attempt,
    AttemptOutcome,
    Phase,
    Reason,
    RunState,
    Stage,
    end_state,
    finish,
    transition,
)
from supervisor.engine.artifacts import check_artifacts
from supervisor.engine.carrying import carry, take_up
from supervisor.engine.inbox import Inbox, RelaunchAsked, StopAsked
from supervisor.engine.journal import Journal
from supervisor.engine.queue import NoSuchDeviceError
from supervisor.engine.requests import (
    RequestRefusedError,
    attempt_conflict,
    between_attempts,
    daemon_stopping,
    relaunch_refusal,
)
from supervisor.engine.script import EditImpossibleError, Launched, apply_edit, plan_edit, size_of, subject_of
from supervisor.engine.services import Services
from supervisor.source.file import ScriptError, read_script

log = structlog.get_logger(__name__)


class Conductor:
    """Carries one run. `conduct` may be called again after a failure: it goes on from the record.

    `taken_up` is set once it is known what became of the run's open attempt, if it has one.
    """

    def __init__(self, services: Services, journal: Journal) -> None:
        self._services = services
        self._journal = journal
        self._inbox: Inbox = asyncio.Queue(maxsize=256)
        self._pids: frozenset[int] = frozenset()
        self._unanswered: set[StopAsked | RelaunchAsked] = set()
        self.taken_up = asyncio.Event()

    @property
    def journal(self) -> Journal:
        return self._journal

    async def ask(self, asked: StopAsked | RelaunchAsked) -> None:
        """Put a request to the run; returns once it is on record.

        A stop returns as well when the run has ended anyway. Raises `RequestRefusedError`, and whatever
        made the conductor fail before the request was on record.
        """
        self._unanswered.add(asked)
        try:
            await self._inbox.put(asked)
            await asked.recorded
        finally:
            self._unanswered.discard(asked)

    async def conduct(self) -> None:
        """Carry the run to its end."""
        try:
            await self._hold_device()
            while not self._journal.run.state.ended:
                await self._advance()
        except BaseException as error:
            for asked in tuple(self._unanswered):
                asked.refuse(error if isinstance(error, Exception) else daemon_stopping())
            raise
        finally:
            if self._journal.run.state.ended:
                self.taken_up.set()
                self._services.queue.leave(self._journal.run.id)
                self._answer_at_the_end()

    async def _hold_device(self) -> None:
        run = self._journal.run
        if run.device_id is not None:
            if self._services.devices[run.device_id].info.kind is not DeviceKind.MISSING:
                self._services.queue.hold(run.id, run.device_id)
            return
        try:
            self._services.queue.check(run.spec.device)
        except NoSuchDeviceError as error:
            await self._end(Reason.DEVICE_UNAVAILABLE, str(error))
            return
        granted = await self._await_grant()
        if isinstance(granted, End):
            await self._end(granted.reason, granted.detail)
            return
        run = transition(replace(run, device_id=granted), RunState.STARTING, at=self._journal.now())
        await self._journal.record(RunStarting(granted), run=run)

    async def _await_grant(self) -> str | End:
        """The device granted, or an end when a stop or the budget's time for training came first."""
        run = self._journal.run
        granted = self._services.queue.join(run.id, run.spec.device)
        self.taken_up.set()
        asked = asyncio.create_task(self._inbox.get())
        try:
            while True:
                left = stop_in(run, Stage.TRAINING, self._services.config.clock.moment())
                waited: set[asyncio.Future[Any]] = {granted, asked}
                await asyncio.wait(
                    waited,
                    return_when=asyncio.FIRST_COMPLETED,
                    timeout=left if run.deadline is not None else None,
                )
                if asked.done():
                    self._inbox.put_nowait(asked.result())
                    if self._stops_waiting():
                        return End(Reason.USER_REQUEST)
                    asked = asyncio.create_task(self._inbox.get())
                elif granted.done():
                    return granted.result()
                else:
                    return End(
                        Reason.OUT_OF_TIME,
                        "no device was free before the budget's time for training was over",
                    )
        finally:
            asked.cancel()
            if not granted.done():
                granted.cancel()

    async def _advance(self) -> None:
        journal = self._journal
        attempt = journal.attempt
        if attempt is not None and attempt.outcome is AttemptOutcome.RUNNING:
            found = await take_up(self._services, journal, attempt)
            self.taken_up.set()
            self._pids = await carry(self._services, journal, self._inbox, attempt, found)
            return
        self.taken_up.set()
        await self._take_stop()
        if attempt is None:
            await self._first_attempt()
            return
        step = after_attempt(
            journal.run.spec,
            attempt,
            journal.trials(),
            stop_requested=journal.run.stop_requested,
            unkillable=journal.run.reason is Reason.UNKILLABLE,
            left=self._time_left(),
            training_completed=self._training_completed(),
        )
        match step:
            case Relaunch():
                await self._relaunch(attempt, step)
            case StartFollowUp(why):
                await self._follow_up(why)
            case End():
                await self._end_with_artifacts(step)

    def _time_left(self) -> TimeLeft:
        return time_left(self._journal.run, self._services.config.clock.moment())

    def _training_completed(self) -> bool:
        training = [attempt for attempt in self._journal.attempts if attempt.stage is Stage.TRAINING]
        return training[-1].outcome is AttemptOutcome.COMPLETED

    async def _first_attempt(self) -> None:
        run = self._journal.run
        if run.stop_requested:
            await self._end(Reason.USER_REQUEST)
            return
        if self._time_left() is not TimeLeft.TRAINING:
            await self._end(Reason.OUT_OF_TIME, "the budget's time for training was over before its launch")
            return
        await self._begin(Stage.TRAINING, 1, run.spec.args, "the run's first attempt", wanted=None)

    async def _relaunch(self, ended: Attempt, step: Relaunch) -> None:
        await self._await_release()
        # One that ended by itself just before it was to be superseded keeps what it was launched with.
        intent = ended.intent if ended.outcome is AttemptOutcome.SUPERSEDED else None
        args = intent.args if intent is not None and intent.args is not None else ended.args
        try:
            if step.batch_size is not None:
                args = await self._give_size(ended, args, step.batch_size)
        except EditImpossibleError as error:
            await self._end(step.reason, f"no relaunch with {step.batch_size}: {error}")
            return
        await self._begin(Stage.TRAINING, ended.number + 1, args, step.why, wanted=step.batch_size)

    async def _give_size(self, ended: Attempt, args: tuple[str, ...], size: int) -> tuple[str, ...]:
        """Make sure that the next launch trains with `size`: a rollback has not been edited yet."""
        path = self._journal.run.spec.script
        try:
            script = await asyncio.to_thread(read_script, Path(path))
        except ScriptError as error:
            raise EditImpossibleError(str(error)) from error
        subject = subject_of(self._journal.run.spec, args, self._services.config.allowed_roots)
        found, _ = await asyncio.to_thread(size_of, script, subject)
        if found == size:
            return args
        intent = ended.intent if ended.outcome is AttemptOutcome.SUPERSEDED else None
        if intent is not None and (intent.edited is not None or intent.relaunch):
            # The edit was made before the kill: what stands there now is somebody's newer script.
            await self._journal.record(
                Warned(
                    "script_changed",
                    f"{intent.file or path} was changed during the relaunch; it is launched as it is now",
                )
            )
            return args
        launched = Launched(ended.script_digest, ended.size_file)
        plan = await asyncio.to_thread(plan_edit, subject, size, launched=launched)
        await asyncio.to_thread(apply_edit, plan)
        await self._journal.record(ScriptEdited(str(plan.path), plan.line, plan.old, plan.new))
        return plan.args

    async def _follow_up(self, why: str) -> None:
        follow_up = self._journal.run.spec.follow_up
        if follow_up is None:
            raise RuntimeError(f"run {self._journal.run.id} has no follow-up to start")
        await self._await_release()
        await self._begin(Stage.FOLLOW_UP, 1, follow_up.args, why, wanted=None)

    async def _begin(
        self, stage: Stage, number: int, args: tuple[str, ...], why: str, *, wanted: int | None
    ) -> None:
        """Record the intent to launch; the launch itself is the next turn's."""
        run = self._journal.run
        training = stage is Stage.TRAINING
        path = run.spec.script if training or run.spec.follow_up is None else run.spec.follow_up.script
        size, digest, beside = wanted, None, None
        if training:
            subject = subject_of(run.spec, args, self._services.config.allowed_roots)
            with suppress(ScriptError):
                script = await asyncio.to_thread(read_script, Path(path))
                size, beside = await asyncio.to_thread(size_of, script, subject)
                digest = script.digest
        sample = await self._services.sampler.read(run.device_id or "")
        attempt = Attempt(
            stage=stage,
            number=number,
            batch_size=size,
            args=args,
            script_digest=digest,
            baseline=sample.used if sample is not None else None,
            size_file=beside,
        )
        if training:
            run = replace(run, attempt=number, batch_size=size, verdict=None, observed=Observed())
        if run.state is RunState.RUNNING:
            phase = Phase.WARMING_UP if training else Phase.FOLLOW_UP
            run = replace(run, phase=phase)
        starting = AttemptStarting(stage, size, path, why)
        await self._journal.record(starting, run=run, attempt=attempt)

    async def _await_release(self) -> None:
        """Before another launch: wait until the device has forgotten the attempt that ended."""
        pids, self._pids = self._pids, frozenset()
        ended = self._journal.attempt
        if ended is not None and ended.pid is not None:
            pids |= {ended.pid}  # all that is known of one that an earlier daemon saw end
        waited = await self._services.sampler.wait_released(self._journal.run.device_id or "", pids)
        if waited is not None:
            await self._journal.record(DeviceReleased(round(waited, 3)))
            return
        bound = self._services.config.timeouts.release_s
        text = f"the device still lists the ended attempt's processes after {bound:.0f} s; launching anyway"
        await self._journal.record(Warned("device_not_released", text))

    async def _end_with_artifacts(self, end: End) -> None:
        """End the run; a success only once the files that it must leave behind have been looked at."""
        run = self._journal.run
        spec = run.spec
        if not spec.artifacts or end_state(end.reason) is not RunState.SUCCEEDED:
            await self._end(end.reason, end.detail)
            return
        roots = self._services.config.allowed_roots
        found = await check_artifacts(spec.artifacts, run.created_at, roots)
        end = with_artifacts(spec, end, [item.problem for item in found if item.problem is not None])
        checked = ArtifactsChecked([asdict(item) | {"ok": item.problem is None} for item in found])
        await self._end(end.reason, end.detail, checked)

    async def _end(self, reason: Reason, detail: str | None = None, *events: EventBody) -> None:
        run = finish(self._journal.run, reason, at=self._journal.now(), detail=detail)
        await self._journal.record(*events, RunEnded(run.state, reason, run.exit_code, detail), run=run)
        log.info("run ended", run=run.id, state=run.state, reason=reason, detail=detail)

    async def _take_stop(self) -> None:
        """Put a stop on record that was asked for while no attempt was alive."""
        stops = self._stops_waiting()
        run = self._journal.run
        if stops and not run.stop_requested:
            run = transition(
                replace(run, stop_requested=True),
                RunState.STOPPING,
                at=self._journal.now(),
                reason=Reason.USER_REQUEST,
            )
            await self._journal.record(RunStopping(Reason.USER_REQUEST, stops[0].grace_s), run=run)
        for asked in stops:
            asked.accept()

    def _stops_waiting(self) -> list[StopAsked]:
        """The stops to be obeyed; what else is asked for while no attempt is alive is refused."""
        run, found = self._journal.run, list[StopAsked]()
        while not self._inbox.empty():
            match self._inbox.get_nowait():
                case RelaunchAsked() as asked:
                    asked.refuse(self._relaunch_refusal(asked))
                case StopAsked(if_attempt=wanted) as asked if not asked.answered:
                    conflict = attempt_conflict(run, wanted)
                    if conflict is not None:
                        asked.refuse(conflict)
                    else:
                        found.append(asked)
                case _:
                    pass
        return found

    def _answer_at_the_end(self) -> None:
        """The run has ended: a stop has nothing left to do, a relaunch comes too late."""
        for asked in tuple(self._unanswered):
            if isinstance(asked, StopAsked):
                asked.accept()
            else:
                asked.refuse(self._relaunch_refusal(asked))

    def _relaunch_refusal(self, asked: RelaunchAsked) -> RequestRefusedError:
        run = self._journal.run
        return relaunch_refusal(run, self._journal.attempt, asked.if_attempt) or between_attempts(run)
