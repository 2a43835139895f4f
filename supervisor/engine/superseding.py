"""A live attempt gives way to the next one: at a verdict or at a caller's request.

The order is its safety: the edit is worked out before anything is decided, the decision recorded before
the script is touched, and the script changed before anything is killed. So a script that cannot be
edited costs the run nothing, and a daemon that dies in between finds what to go on with.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.events import AttemptStopping, EditRefused, EventBody, RelaunchRequested, ScriptEdited
from supervisor.domain.run import Attempt, Intent, Phase, Reason
from supervisor.engine.inbox import RelaunchAsked
from supervisor.engine.journal import Journal
from supervisor.engine.requests import RequestRefusedError, relaunch_refusal
from supervisor.engine.script import (
    EditImpossibleError,
    Launched,
    Plan,
    ScriptChangedSinceLaunchError,
    apply_edit,
    plan_edit,
    subject_of,
)
from supervisor.engine.submission import SubmissionError, check_roots
from supervisor.process.attempt import AttemptProcess


class Superseding:
    """Edits the script of one live attempt and stops it, by its recorded intent."""

    def __init__(self, journal: Journal, process: AttemptProcess, allowed_roots: tuple[Path, ...]) -> None:
        self._journal = journal
        self._process = process
        self._allowed_roots = allowed_roots

    async def resume(self) -> None:
        """Go on with a decision that an earlier daemon recorded and may not have carried out."""
        intent = self._attempt.intent
        if intent is None:
            return
        if intent.edited is not None and intent.batch_size is not None:
            await self._finish_edit(intent, intent.batch_size)
        if self._attempt.intent is not None:
            await self._process.stop(intent.grace_s)

    async def request(self, asked: RelaunchAsked) -> None:
        """Relaunch as a caller asked for; raises `RequestRefusedError` with the run untouched.

        The request goes on top of whatever the script is now, so it may have been changed since launch.
        """
        refused = relaunch_refusal(self._journal.run, self._attempt, asked.if_attempt)
        if refused is not None:
            raise refused
        plan = None if asked.batch_size is None else await self._requested_plan(asked.batch_size)
        intent = intended(plan, Reason.USER_REQUEST, asked.grace_s, relaunch=True)
        run = replace(self._journal.run, phase=Phase.RELAUNCHING)
        event = RelaunchRequested(self._attempt.batch_size, asked.batch_size, asked.why)
        await self._journal.record(event, run=run, attempt=replace(self._attempt, intent=intent))
        error = await self.carry_out(intent, plan)
        if error is not None:
            raise RequestRefusedError("edit_refused", str(error), error.candidates) from error

    async def plan(self, size: int, *, launched: Launched | None) -> Plan | EditImpossibleError:
        """The edit to `size`, or why there is none; `launched` as for `plan_edit`."""
        subject = subject_of(self._journal.run.spec, self._attempt.args, self._allowed_roots)
        try:
            return await asyncio.to_thread(plan_edit, subject, size, launched=launched)
        except EditImpossibleError as error:
            return error

    async def carry_out(self, intent: Intent, plan: Plan | None) -> EditImpossibleError | None:
        """Edit, then stop. Returns why the edit could not be made: the intent is withdrawn then."""
        events: list[EventBody] = [AttemptStopping(intent.reason, intent.grace_s)]
        if plan is not None:
            try:
                await asyncio.to_thread(apply_edit, plan)
            except EditImpossibleError as error:
                await self._withdraw(error)
                return error
            if plan.old != plan.new:
                events.insert(0, ScriptEdited(str(plan.path), plan.line, plan.old, plan.new))
        await self._journal.record(*events)
        await self._process.stop(intent.grace_s)
        return None

    async def _requested_plan(self, size: int) -> Plan:
        script = Path(self._journal.run.spec.script)
        try:
            await asyncio.to_thread(check_roots, (script,), self._allowed_roots)
        except SubmissionError as error:
            raise RequestRefusedError("edit_refused", str(error)) from error
        plan = await self.plan(size, launched=None)
        if isinstance(plan, EditImpossibleError):
            raise RequestRefusedError("edit_refused", str(plan), plan.candidates)
        return plan

    async def _finish_edit(self, intent: Intent, wanted: int) -> None:
        before, after = intent.edited or ("", "")
        plan = await self.plan(wanted, launched=None)
        if isinstance(plan, Plan) and plan.before == before and plan.after == after:
            await self.carry_out(intent, plan)
        elif not (isinstance(plan, Plan) and plan.before == after):
            await self._withdraw(ScriptChangedSinceLaunchError(intent.file or self._journal.run.spec.script))

    async def _withdraw(self, error: EditImpossibleError) -> None:
        """The decision came to nothing before anything was killed: the run goes on as it is."""
        attempt = self._attempt
        verdict = attempt.verdict
        judged = verdict is not None and verdict.kind is not VerdictKind.DEFERRED
        if verdict is not None and verdict.next_batch_size is not None:
            verdict = replace(verdict, next_batch_size=None, why=f"{verdict.why}; not done: {error}")
        phase = Phase.TRAINING if judged else Phase.WARMING_UP
        run = replace(self._journal.run, phase=phase, verdict=verdict)
        await self._journal.record(
            refused(error), run=run, attempt=replace(attempt, intent=None, verdict=verdict)
        )

    @property
    def _attempt(self) -> Attempt:
        attempt = self._journal.attempt
        if attempt is None:
            raise RuntimeError(f"run {self._journal.run.id} has no attempt to supersede")
        return attempt


def intended(plan: Plan | None, reason: Reason, grace_s: float, *, relaunch: bool = False) -> Intent:
    """The intent to relaunch with this edit made, or with none; `relaunch` as for `Intent`."""
    if plan is None:
        return Intent(reason, grace_s, relaunch=relaunch)
    edited = (plan.before, plan.after) if plan.content is not None else None
    file = str(plan.path) if plan.beside else None
    return Intent(reason, grace_s, plan.new, plan.args, edited, relaunch, file)


def refused(error: EditImpossibleError) -> EditRefused:
    changed = isinstance(error, ScriptChangedSinceLaunchError)
    return EditRefused("script_changed" if changed else "edit_refused", str(error), error.candidates)
