"""One attempt from its launch to its end: a loop over what happens, one thing at a time.

Output, the checkpoint's time, the process's end and requests all come through one inbox, so every
decision sees the state that the one before it left.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import assert_never

from supervisor.domain.budget import budget_state, stop_in
from supervisor.domain.events import AttemptStopping, BudgetExhausted, EventBody, RunStopping, Warned
from supervisor.domain.progress import Observed
from supervisor.domain.run import Attempt, Intent, Reason, RunState, transition
from supervisor.engine.checkpointing import Checkpointing
from supervisor.engine.inbox import (
    FULL_RETRY_S,
    Due,
    Ended,
    Happening,
    Inbox,
    LogCut,
    LogGrown,
    Output,
    OutputEnded,
    RelaunchAsked,
    StopAsked,
)
from supervisor.engine.journal import Journal
from supervisor.engine.observation import Observation
from supervisor.engine.outflow import Outflow
from supervisor.engine.requests import RequestRefusedError, attempt_conflict, between_attempts
from supervisor.engine.sampler import Look, Watched
from supervisor.engine.services import Services
from supervisor.engine.superseding import Superseding
from supervisor.engine.trimming import Trimming, reopen_at
from supervisor.output.reader import Batch, OutputReader
from supervisor.process.attempt import AttemptProcess, Exit
from supervisor.process.logfile import LogFollower

_NEVER = float("inf")
_CUT = "the log was truncated by others: it is read again from its start, some lines perhaps twice"
_GONE = (
    "the log was removed or renamed by others: it was read to its end, and what it holds can be read here no "
    "more; set log.max_bytes to bound logs"
)


class Supervision:
    """Watches a live attempt until it has ended and its log has been read."""

    def __init__(self, services: Services, journal: Journal, inbox: Inbox, process: AttemptProcess) -> None:
        self._services = services
        self._journal = journal
        self._inbox = inbox
        self._process = process
        self._boottime = services.config.clock.boottime
        self._device = services.devices[journal.run.device_id or ""].info
        self.observation = _observation(self._device.total, journal)
        now = services.config.clock.moment()
        self._cut_at = now.boottime + stop_in(journal.run, self._attempt.stage, now)
        self._superseding = Superseding(journal, process, services.config.allowed_roots)
        self._checkpoint = Checkpointing(
            journal,
            process,
            self._device,
            self._superseding,
            boottime=self._boottime,
            sample_every_s=services.config.sample_every_s,
            relaunch_until=self._cut_at - journal.run.spec.grace_s,
        )
        self._outflow: Outflow | None = None
        self._log_cut = False
        self._trimming = Trimming(journal, process.directory, services.config.log_max_bytes, self._reopen_log)
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = _NEVER
        self._stopping = False
        self._overdue = _NEVER
        self._measured = journal.run.observed.measured
        self.pids: frozenset[int] = frozenset()
        self.peak: int | None = self._attempt.peak
        self.peak_utilization: float | None = self._attempt.peak_utilization

    async def until_ended(self) -> Exit:
        """Supervise; returns how the attempt ended, with its whole log read."""
        outflow = self._outflow = self._follow_log()
        unwatch = self._watch_device()
        awaiting = asyncio.create_task(self._await_end())
        try:
            await self._superseding.resume()
            await self._trimming.resume()
            end = await self._until_process_ends()
            outflow.finish(end.log_size)
            await self._read_rest()
            return end
        finally:
            unwatch()
            self._wake_at(_NEVER)
            outflow.close()
            awaiting.cancel()
            await asyncio.gather(awaiting, return_exceptions=True)

    async def _until_process_ends(self) -> Exit:
        while True:
            self._expect_end()
            self._wake_at(min(self._next_decision, self._overdue))
            happening = await self._inbox.get()
            match happening:
                case Ended(exit_):
                    return exit_
                case Due(at) if at == self._due_at:
                    self._due_at = _NEVER
                    if at == self._overdue:
                        await self._report_overdue()
                    elif at == self._cut_at:
                        await self._stop_for_budget()
                    else:
                        await self._checkpoint.hold(self.observation)
                case _:
                    await self._take(happening)

    def _expect_end(self) -> None:
        """An attempt that is being stopped has a time by which it ends, if it can be killed at all."""
        intent = self._attempt.intent
        if intent is not None and not self._stopping:
            self._stopping = True
            self._overdue = self._boottime() + intent.grace_s + self._services.config.timeouts.kill_s

    @property
    def _next_decision(self) -> float:
        """When to decide about the attempt again; what has been decided stands."""
        return _NEVER if self._attempt.intent is not None else min(self._checkpoint.due, self._cut_at)

    async def _stop_for_budget(self) -> None:
        run, attempt = self._journal.run, self._attempt
        grace_s = run.spec.grace_s
        left = budget_state(run, self._services.config.clock.moment())
        await self._journal.record(
            BudgetExhausted(attempt.stage, round(left.remaining_s, 3) if left is not None else 0.0),
            AttemptStopping(Reason.BUDGET_EXHAUSTED, grace_s),
            attempt=replace(attempt, intent=Intent(Reason.BUDGET_EXHAUSTED, grace_s)),
        )
        await self._process.stop(grace_s)

    async def _report_overdue(self) -> None:
        self._overdue = _NEVER
        await report_unkillable(self._journal, sorted(self._process.members()))

    async def _read_rest(self) -> None:
        """Take what is left of the output; what a dead disk keeps back is not waited for."""
        self._wake_at(self._boottime() + self._services.config.timeouts.drain_s)
        while True:
            happening = await self._inbox.get()
            match happening:
                case OutputEnded(lost, gone):
                    if warned := log_warnings(lost, gone=gone):
                        await self._journal.record(*warned)
                    return
                case Due(at) if at == self._due_at:
                    await self._warn("log_not_drained", "the end of the log could not be read in time")
                    return
                case RelaunchAsked():
                    happening.refuse(between_attempts(self._journal.run))
                case _:
                    await self._take(happening)

    async def _take(self, happening: Happening) -> None:
        match happening:
            case Output(batch):
                self._take_output(batch)
            case LogGrown(offset):
                await self._trimming.trim(offset, out_of_memory=self.observation.out_of_memory)
            case LogCut(offset):
                await self._take_cut(offset)
            case StopAsked():
                await self._stop_for_good(happening)
            case RelaunchAsked():
                await self._relaunch(happening)
            case Ended() | OutputEnded() | Due():
                pass  # each counts in one of the loops above, and a time that was set anew in none
            case _:
                assert_never(happening)

    def _wake_at(self, due: float) -> None:
        """Put a `Due` into the inbox at `due` (boot-time seconds), instead of at any time set before."""
        if due == self._due_at:
            return
        self._due_at = due
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due < _NEVER:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, due - self._boottime()), self._offer_due, due
            )

    def _offer_due(self, due: float) -> None:
        try:
            self._inbox.put_nowait(Due(due))
        except asyncio.QueueFull:
            self._timer = asyncio.get_running_loop().call_later(FULL_RETRY_S, self._offer_due, due)

    def _take_output(self, batch: Batch) -> None:
        events = self.observation.take(batch.records, self._boottime())
        self._journal.observe(self._observed())
        if not events:
            return
        seen = self.observation.out_of_memory
        attempt = replace(self._attempt, log_offset=batch.offset, out_of_memory=seen)
        self._journal.note(*events, attempt=attempt)

    async def _take_cut(self, offset: int) -> None:
        """Reading goes on at `offset`, after a restart of the daemon too."""
        attempt = self._attempt
        attempt = replace(attempt, log_offset=offset, log_trimmed=min(attempt.log_trimmed, offset))
        warned = () if self._log_cut else (Warned("log_truncated", _CUT),)
        self._log_cut = True
        await self._journal.record(*warned, attempt=attempt)

    def _follow_log(self) -> Outflow:
        return Outflow(
            self._services.inotify,
            self._inbox,
            self._process.directory / "log",
            self._attempt.log_offset,
            writer=self._process.started.pid,
            trimmed=self._attempt.log_trimmed,
            max_bytes=self._services.config.log_max_bytes,
        )

    def _reopen_log(self, offset: int) -> int | None:
        return self._outflow.reopen(offset) if self._outflow is not None else None

    def _take_look(self, look: Look) -> None:
        """Only memory is touched and nothing decided, so a look need not wait in the inbox."""
        sample = look.sample
        self._checkpoint.looks.append(sample)
        self.pids |= look.pids
        if sample.measured is not None:
            self.peak = max(self.peak or 0, sample.measured.used)
        if sample.utilization is not None:
            self.peak_utilization = max(self.peak_utilization or 0.0, sample.utilization)
        self._journal.observe(self._observed())

    async def _relaunch(self, asked: RelaunchAsked) -> None:
        if asked.answered:
            return
        try:
            await self._superseding.request(asked)
        except RequestRefusedError as error:
            asked.refuse(error)
        else:
            asked.accept()

    async def _stop_for_good(self, asked: StopAsked) -> None:
        run = self._journal.run
        conflict = attempt_conflict(run, asked.if_attempt)
        if conflict is not None:
            asked.refuse(conflict)
        if asked.answered:
            return
        attempt = self._attempt
        if attempt.intent is None:
            attempt = replace(attempt, intent=Intent(Reason.USER_REQUEST, asked.grace_s))
        events: list[EventBody] = []
        if not run.stop_requested:
            run = transition(
                replace(run, stop_requested=True),
                RunState.STOPPING,
                at=self._journal.now(),
                reason=Reason.USER_REQUEST,
            )
            events.append(RunStopping(Reason.USER_REQUEST, asked.grace_s))
        await self._journal.record(*events, run=run, attempt=attempt)
        asked.accept()
        await self._process.stop(asked.grace_s)

    async def _await_end(self) -> None:
        await self._inbox.put(Ended(await self._process.wait()))

    def _watch_device(self) -> Callable[[], None]:
        started = self._process.started
        watched = Watched(
            run_id=self._journal.run.id,
            attempt=self._attempt.number,
            device_id=self._device.id,
            shim_pid=started.shim_pid,
            leader_pid=started.pid,
            baseline=self._attempt.baseline,
        )
        return self._services.sampler.watch(watched, self._take_look)

    def _observed(self) -> Observed:
        seen = self.observation
        looks = self._checkpoint.looks
        newest = looks[-1] if looks else None
        if newest is not None and newest.measured is not None:
            self._measured = newest.measured
        return Observed(
            reported=seen.reported,
            measured=self._measured,
            device_total=self._device.total,
            utilization=newest.utilization if newest is not None else None,
            progress=seen.progress,
            eta_s=seen.eta_s,
        )

    @property
    def _attempt(self) -> Attempt:
        """The attempt as last recorded: the checkpoint writes to it as well."""
        attempt = self._journal.attempt
        if attempt is None:
            raise RuntimeError(f"run {self._journal.run.id} has no attempt to supervise")
        return attempt

    async def _warn(self, code: str, text: str) -> None:
        await self._journal.record(Warned(code, text))


async def report_unkillable(journal: Journal, pids: Sequence[int]) -> None:
    """Put on record that a stop does not come to its end: the run is `stopping`, its device held."""
    names = ", ".join(map(str, pids))
    text = (
        f"processes {names} have not ended after SIGKILL: they sleep uninterruptibly, as on a disk or driver "
        "that hangs; the device stays held until they end, which may take a reboot"
    )
    run = journal.run
    if run.state is not RunState.STOPPING:
        run = transition(run, RunState.STOPPING, at=journal.now(), reason=Reason.UNKILLABLE)
    run = replace(run, reason=Reason.UNKILLABLE, detail=text)
    await journal.record(Warned("unkillable", text), run=run)


async def read_out(services: Services, journal: Journal, path: Path, attempt: Attempt, end: Exit) -> None:
    """Read and record the rest of the log of an attempt that ended unwatched."""
    device = services.devices[journal.run.device_id or ""].info
    observation = _observation(device.total, journal)
    reader, truncations = OutputReader(attempt.log_offset), 0
    follower = LogFollower(services.inotify, path, attempt.log_offset)
    follower.finish(end.log_size)
    now = services.config.clock.boottime()
    events: list[EventBody] = []
    try:
        async for offset, chunk in follower:
            if follower.truncations > truncations:
                events += observation.take(reader.finish().records, now)
                reader, truncations = OutputReader(offset), follower.truncations
            events += observation.take(reader.feed(chunk).records, now)
    finally:
        follower.close()
    rest = reader.finish()
    events += observation.take(rest.records, now)
    events += log_warnings(follower.lost, gone=end.error is None and not path.exists())
    seen = replace(
        journal.run.observed,
        reported=observation.reported,
        progress=observation.progress,
    )
    run = replace(journal.run, observed=seen)
    attempt = replace(attempt, log_offset=rest.offset, out_of_memory=observation.out_of_memory)
    await journal.record(*events, run=run, attempt=attempt)
    most = services.config.log_max_bytes
    trimming = Trimming(journal, path.parent, most, partial(reopen_at, path))
    await trimming.resume()
    if most and rest.offset - attempt.log_trimmed > most:
        await trimming.trim(rest.offset, out_of_memory=observation.out_of_memory)


def log_warnings(lost: int, *, gone: bool) -> list[EventBody]:
    """What is told of a log that others touched; `lost` counts bytes that were promised and not there."""
    warned: list[EventBody] = []
    if lost:
        warned.append(Warned("log_truncated", f"{lost} bytes of the log were removed by others"))
    if gone:
        warned.append(Warned("log_gone", _GONE))
    return warned


def _observation(device_total: int | None, journal: Journal) -> Observation:
    """What is known of the newest attempt's output, to be gone on with."""
    attempt = journal.attempt
    seen = attempt is not None and attempt.out_of_memory
    return Observation(device_total, journal.run.observed, out_of_memory=seen)
