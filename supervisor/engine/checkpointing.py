"""The checkpoint of a live attempt: judge when it is due, and answer an underused device.

The order of an answer is its safety: the edit is worked out before anything is decided, the decision
recorded before the script is touched, and the script changed before anything is killed. So a script
that cannot be edited costs the run nothing, and a daemon that dies in between finds what to go on with.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.checkpoint import Evidence, Verdict, VerdictKind, judge, settled
from supervisor.domain.events import (
    AttemptStopping,
    EditRefused,
    EventBody,
    ScriptEdited,
    SupersedeDecided,
    VerdictReached,
)
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import MeasuredReading
from supervisor.domain.run import Attempt, Intent, Phase, Reason, Run, Stage
from supervisor.domain.sizing import SizingDecision, Trial, next_batch_size
from supervisor.engine.journal import Journal
from supervisor.engine.observation import Observation
from supervisor.engine.script import (
    EditImpossibleError,
    Plan,
    ScriptChangedSinceLaunchError,
    apply_edit,
    plan_edit,
)
from supervisor.process.attempt import AttemptProcess

# Looks kept: more than any window needs.
_LOOKS_KEPT = 600
_LOOKS_BEFORE_JUDGING = 2
_NEVER = float("inf")


class Checkpointing:
    """Holds the checkpoint of one attempt. `due` is in boot-time seconds; infinity when none is left.

    From `relaunch_until`, in boot-time seconds, an underused device is left so: no relaunch could be made.
    """

    def __init__(
        self,
        journal: Journal,
        process: AttemptProcess,
        device: DeviceInfo,
        *,
        boottime: Callable[[], float],
        sample_every_s: float,
        relaunch_until: float = _NEVER,
    ) -> None:
        self._journal = journal
        self._process = process
        self._device = device
        self._boottime = boottime
        self._relaunch_until = relaunch_until
        self._policy = journal.run.spec.checkpoint
        self._launched_at = process.started.boottime
        self.looks: deque[RunSample] = deque(maxlen=_LOOKS_KEPT)
        judged = self._attempt.verdict is not None and self._attempt.verdict.kind is not VerdictKind.DEFERRED
        wanted = self._attempt.stage is Stage.TRAINING and self._attempt.intent is None and not judged
        # A daemon that took up the run after its checkpoint looks at the device before it judges.
        seen_by = boottime() + _LOOKS_BEFORE_JUDGING * sample_every_s
        self.due = max(self._launched_at + self._policy.after_s, seen_by) if wanted else _NEVER

    async def resume(self) -> None:
        """Go on with a decision that an earlier daemon recorded and may not have carried out."""
        intent = self._attempt.intent
        if intent is None:
            return
        if intent.edited is not None and intent.batch_size is not None:
            await self._finish_edit(intent, intent.batch_size)
        if self._attempt.intent is not None:
            await self._process.stop(intent.grace_s)

    async def hold(self, observation: Observation) -> None:
        """Judge the attempt now; sets when to look again, if at all."""
        verdict = judge(self._evidence(observation), self._policy, at=self._journal.now())
        if verdict.kind is VerdictKind.DEFERRED:
            await self._defer(verdict)
            return
        self.due = _NEVER
        if verdict.kind is VerdictKind.UNDERUSED:
            await self._answer_underuse(verdict)
        else:
            await self._proceed(verdict)

    async def _defer(self, verdict: Verdict) -> None:
        latest = self._launched_at + self._policy.max_wait_s
        self.due = min(self._boottime() + self._policy.retry_s, max(latest, self._boottime()))
        if self._attempt.verdict is None:
            await self._record_verdict(verdict)

    async def _proceed(self, verdict: Verdict, *events: EventBody) -> None:
        run = replace(self._journal.run, phase=Phase.TRAINING)
        await self._record_verdict(verdict, *events, run=run)

    async def _answer_underuse(self, verdict: Verdict) -> None:
        if self._boottime() >= self._relaunch_until:
            why = f"{verdict.why}; the budget leaves no time for a relaunch"
            await self._proceed(replace(verdict, why=why))
            return
        size = self._attempt.batch_size
        if size is None:
            # No size is known, so the plan for any size says why, with the candidates.
            await self._proceed_without_edit(
                verdict, await self._plan(2, launched=self._attempt.script_digest)
            )
            return
        decision = self._decide_size(size, verdict)
        if decision.batch_size is None:
            await self._proceed(replace(verdict, why=f"{verdict.why}; {decision.why}"))
            return
        plan = await self._plan(decision.batch_size, launched=self._attempt.script_digest)
        if isinstance(plan, EditImpossibleError):
            await self._proceed_without_edit(verdict, plan)
            return
        await self._supersede(verdict, size, plan, decision)

    def _decide_size(self, size: int, verdict: Verdict) -> SizingDecision:
        trials = [*self._journal.trials()[:-1], Trial(size, verdict.measured)]
        measured = self._highest_measured()
        others = measured.others if measured else 0
        sizing = self._journal.run.spec.sizing
        return next_batch_size(trials, total=self._device.total, others=others, policy=sizing)

    async def _supersede(self, verdict: Verdict, size: int, plan: Plan, decision: SizingDecision) -> None:
        run = self._journal.run
        verdict = replace(verdict, next_batch_size=plan.new, why=f"{verdict.why}; {decision.why}")
        intent = Intent(
            reason=Reason.UNDERUSED_MEMORY,
            grace_s=run.spec.grace_s,
            batch_size=plan.new,
            args=plan.args,
            edited=(plan.before, plan.after) if plan.content is not None else None,
        )
        decided = SupersedeDecided(Reason.UNDERUSED_MEMORY, size, plan.new, decision.why)
        await self._record_verdict(
            verdict,
            decided,
            run=replace(run, phase=Phase.RELAUNCHING),
            attempt=replace(self._attempt, intent=intent),
        )
        await self._carry_out(plan, intent)

    async def _carry_out(self, plan: Plan, intent: Intent) -> None:
        try:
            await asyncio.to_thread(apply_edit, plan)
        except EditImpossibleError as error:
            await self._withdraw(error)
            return
        await self._journal.record(
            ScriptEdited(str(plan.path), plan.line, plan.old, plan.new),
            AttemptStopping(intent.reason, intent.grace_s),
        )
        await self._process.stop(intent.grace_s)

    async def _finish_edit(self, intent: Intent, wanted: int) -> None:
        before, after = intent.edited or ("", "")
        plan = await self._plan(wanted, launched=None)
        if isinstance(plan, Plan) and plan.before == before and plan.after == after:
            await self._carry_out(plan, intent)
        elif not (isinstance(plan, Plan) and plan.before == after):
            await self._withdraw(ScriptChangedSinceLaunchError(self._journal.run.spec.script))

    async def _withdraw(self, error: EditImpossibleError) -> None:
        """The decision came to nothing before anything was killed: the run goes on as it is."""
        verdict = self._attempt.verdict
        if verdict is not None:
            verdict = replace(verdict, next_batch_size=None, why=f"{verdict.why}; not done: {error}")
        run = replace(self._journal.run, phase=Phase.TRAINING, verdict=verdict)
        attempt = replace(self._attempt, intent=None, verdict=verdict)
        await self._journal.record(_refused(error), run=run, attempt=attempt)

    async def _proceed_without_edit(self, verdict: Verdict, plan: Plan | EditImpossibleError) -> None:
        error = (
            plan
            if isinstance(plan, EditImpossibleError)
            else EditImpossibleError("the batch size is not certain")
        )
        verdict = replace(verdict, why=f"{verdict.why}; not corrected: {error}")
        await self._proceed(verdict, _refused(error))

    async def _record_verdict(
        self,
        verdict: Verdict,
        *events: EventBody,
        run: Run | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        reached = VerdictReached(asdict(verdict))
        run = replace(run or self._journal.run, verdict=verdict)
        attempt = replace(attempt or self._attempt, verdict=verdict)
        await self._journal.record(reached, *events, run=run, attempt=attempt)

    async def _plan(self, size: int, *, launched: str | None) -> Plan | EditImpossibleError:
        script, args = self._journal.run.spec.script, self._attempt.args
        try:
            return await asyncio.to_thread(plan_edit, script, args, size, launched=launched)
        except EditImpossibleError as error:
            return error

    def _evidence(self, observation: Observation) -> Evidence:
        looks = list(self.looks)
        # The CPU is busy and host memory still while data is loaded: only a GPU's kernels tell a step.
        kernels = self._device.kind is DeviceKind.NVML and settled(looks, self._policy.settle_s)
        return Evidence(
            elapsed_s=self._boottime() - self._launched_at,
            step_seen=observation.step_seen or kernels,
            reported=observation.reported,
            measured=self._highest_measured(),
        )

    def _highest_measured(self) -> MeasuredReading | None:
        since = self._boottime() - self._policy.window_s
        recent = [look.measured for look in self.looks if look.at >= since and look.measured is not None]
        return max(recent, key=lambda reading: reading.used, default=None)

    @property
    def _attempt(self) -> Attempt:
        attempt = self._journal.attempt
        if attempt is None:
            raise RuntimeError(f"run {self._journal.run.id} has no attempt to judge")
        return attempt


def _refused(error: EditImpossibleError) -> EditRefused:
    changed = isinstance(error, ScriptChangedSinceLaunchError)
    return EditRefused("script_changed" if changed else "edit_refused", str(error), error.candidates)
