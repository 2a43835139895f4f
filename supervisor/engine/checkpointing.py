"""The checkpoint of a live attempt: judge when it is due, and answer an underused device."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.checkpoint import Evidence, Verdict, VerdictKind, judge, settled
from supervisor.domain.events import (
    EventBody,
    SupersedeDecided,
    VerdictReached,
)
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import MeasuredReading
from supervisor.domain.run import Attempt, Phase, Reason, Run, Stage
from supervisor.domain.sizing import SizingDecision, next_batch_size
from supervisor.engine.journal import Journal
from supervisor.engine.observation import Observation
from supervisor.engine.script import EditImpossibleError, Launched, Plan
from supervisor.engine.superseding import Superseding, intended, refused
from supervisor.process.attempt import AttemptProcess

# Looks kept: more than any window needs.
_LOOKS_KEPT = 600
_LOOKS_BEFORE_JUDGING = 2
_LOOK_WAIT_S = 5.0  # beyond a sample's period, for a look as new as the step: a device that hangs gives none
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
        superseding: Superseding,
        *,
        boottime: Callable[[], float],
        sample_every_s: float,
        relaunch_until: float = _NEVER,
    ) -> None:
        self._journal = journal
        self._superseding = superseding
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
        self._sample_every_s = sample_every_s
        self._step_known_at: float | None = None

    async def hold(self, observation: Observation) -> None:
        """Judge the attempt now; sets when to look again, if at all. One that is to end is not judged."""
        if self._attempt.intent is not None:
            self.due = _NEVER
            return
        if self._awaits_look(observation):
            self.due = self._boottime() + self._sample_every_s
            return
        verdict = judge(self._evidence(observation), self._policy, at=self._journal.now())
        if verdict.kind is VerdictKind.DEFERRED:
            await self._defer(verdict)
            return
        self.due = _NEVER
        if verdict.kind is VerdictKind.UNDERUSED:
            await self._answer_underuse(verdict)
        else:
            await self._proceed(verdict)

    def _awaits_look(self, observation: Observation) -> bool:
        """Whether to wait for a look that is as new as the first step, as long as one may still come.

        Memory is filled with the first step: what was seen before it would pass for an underused device, and
        is no evidence.
        """
        if not observation.step_seen:
            return False
        now = self._boottime()
        if self._step_known_at is None:
            self._step_known_at = now if observation.step_at is None else observation.step_at
        looked_at = self.looks[-1].at if self.looks else -_NEVER
        wait_s = self._sample_every_s + _LOOK_WAIT_S
        return looked_at < self._step_known_at and now < self._step_known_at + wait_s

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
            plan = await self._superseding.plan(2, launched=self._launched)
            await self._proceed_without_edit(verdict, plan)
            return
        decision = self._decide_size(verdict)
        if decision.batch_size is None:
            await self._proceed(replace(verdict, why=f"{verdict.why}; {decision.why}"))
            return
        plan = await self._superseding.plan(decision.batch_size, launched=self._launched)
        if isinstance(plan, EditImpossibleError):
            await self._proceed_without_edit(verdict, plan)
            return
        await self._supersede(verdict, size, plan, decision)

    def _decide_size(self, verdict: Verdict) -> SizingDecision:
        *earlier, current = self._journal.trials()
        trials = [*earlier, replace(current, memory=verdict.measured)]
        measured = self._highest_measured()
        others = measured.others if measured else 0
        sizing = self._journal.run.spec.sizing
        return next_batch_size(trials, total=self._device.total, others=others, policy=sizing)

    async def _supersede(self, verdict: Verdict, size: int, plan: Plan, decision: SizingDecision) -> None:
        run = self._journal.run
        verdict = replace(verdict, next_batch_size=plan.new, why=f"{verdict.why}; {decision.why}")
        intent = intended(plan, Reason.UNDERUSED_MEMORY, run.spec.grace_s)
        decided = SupersedeDecided(Reason.UNDERUSED_MEMORY, size, plan.new, decision.why)
        await self._record_verdict(
            verdict,
            decided,
            run=replace(run, phase=Phase.RELAUNCHING),
            attempt=replace(self._attempt, intent=intent),
        )
        await self._superseding.carry_out(intent, plan)

    async def _proceed_without_edit(self, verdict: Verdict, plan: Plan | EditImpossibleError) -> None:
        error = (
            plan
            if isinstance(plan, EditImpossibleError)
            else EditImpossibleError("the batch size is not certain")
        )
        verdict = replace(verdict, why=f"{verdict.why}; not corrected: {error}")
        await self._proceed(verdict, refused(error))

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
        since = max(self._boottime() - self._policy.window_s, self._step_known_at or 0.0)
        recent = [look.measured for look in self.looks if look.at >= since and look.measured is not None]
        return max(recent, key=lambda reading: reading.used, default=None)

    @property
    def _launched(self) -> Launched:
        return Launched(self._attempt.script_digest, self._attempt.size_file)

    @property
    def _attempt(self) -> Attempt:
        attempt = self._journal.attempt
        if attempt is None:
            raise RuntimeError(f"run {self._journal.run.id} has no attempt to judge")
        return attempt
