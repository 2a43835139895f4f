"""A run under a budget: what is stopped when, and how the run ends then."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.run import AttemptOutcome, Reason, RunState, Stage
from supervisor.engine.config import Clock
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission, SubmissionError
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, event_types, until

Write = Callable[..., Path]
SAVES = """\
import os, pathlib, signal, sys, time
def save(*_):
    pathlib.Path("model").write_text("partial")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
pathlib.Path("deadline").write_text(os.environ["TRAIND_DEADLINE"])
print("Epoch 1/2", flush=True)
time.sleep(60)
"""
ENDLESS = "import time\nprint('Epoch 1/2', flush=True)\ntime.sleep(60)\n"
PREDICTS = (
    "import os\nopen('submission.csv', 'w').write(open('model').read() + os.environ['TRAIND_DEADLINE'])\n"
)
LATER = {"checkpoint": {"after_s": 30}, "grace_s": 1}
FOLLOWED = {"follow_up": {"script": "predict.py"}, "artifacts": [{"path": "submission.csv"}]}


class Now:
    """A boot-time and a wall clock that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.clock = Clock(
            lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + self.ahead, lambda: time.time() + self.ahead
        )


async def submit(engine: Engine, path: Path, **body: Any) -> str:
    return (await engine.submit(Submission(script=str(path), **(LATER | body)))).id


async def event(engine: Engine, run_id: str, kind: str) -> dict[str, Any]:
    return next(event.data for event in await engine.events(run_id, 0, 500) if event.type == kind)


async def test_training_is_stopped_in_time_and_the_follow_up_uses_what_it_saved(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(SAVES)
    script(PREDICTS, "predict.py")
    async with open_here() as engine:
        run_id = await submit(engine, path, budget_s=33, reserve_s=30, **FOLLOWED)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)
        exhausted = await event(engine, run_id, "budget_exhausted")
        checked = await event(engine, run_id, "artifacts_checked")

    assert (run.state, run.reason, run.exit_code) == (RunState.SUCCEEDED, Reason.BUDGET_EXHAUSTED, 0)
    assert [(item.outcome, item.reason) for item in attempts] == [
        (AttemptOutcome.STOPPED, Reason.BUDGET_EXHAUSTED),
        (AttemptOutcome.COMPLETED, Reason.COMPLETED),
    ]
    assert exhausted["stage"] == Stage.TRAINING
    assert 25 < exhausted["remaining_s"] <= 31
    assert [item["ok"] for item in checked["artifacts"]] == [True]
    assert run.deadline is not None
    told = int((path.parent / "deadline").read_text())
    assert run.deadline.wall - 32.5 < told <= run.deadline.wall - 31
    written = (path.parent / "submission.csv").read_text()
    assert run.deadline.wall - 1.5 < int(written.removeprefix("partial")) <= run.deadline.wall + 0.5


@pytest.mark.parametrize(
    ("text", "body", "state", "reason", "detail"),
    [
        (
            SAVES,
            {"artifacts": [{"path": "model"}]},
            RunState.SUCCEEDED,
            Reason.BUDGET_EXHAUSTED,
            "training was stopped to keep the budget",
        ),
        (
            ENDLESS,
            {"artifacts": [{"path": "model"}]},
            RunState.FAILED,
            Reason.OUT_OF_TIME,
            "training was stopped to keep the budget; {here}/model is missing",
        ),
        (SAVES, {}, RunState.FAILED, Reason.OUT_OF_TIME, "training was stopped to keep the budget"),
    ],
    ids=["artifact there", "artifact missing", "nothing asked for"],
)
async def test_a_cut_without_a_follow_up_succeeds_by_its_artifacts_alone(
    open_here: OpenEngine,
    script: Write,
    text: str,
    body: dict[str, Any],
    state: RunState,
    reason: Reason,
    detail: str,
) -> None:
    path = script(text)
    async with open_here() as engine:
        run = await ended(engine, await submit(engine, path, budget_s=2.5, **body))

    assert (run.state, run.reason) == (state, reason)
    assert run.detail == detail.format(here=path.parent)


async def test_the_deadline_stops_a_follow_up_that_still_runs(open_here: OpenEngine, script: Write) -> None:
    path = script("print('Epoch 1/1')\n")
    script(ENDLESS, "predict.py")
    async with open_here() as engine:
        run_id = await submit(engine, path, budget_s=8, reserve_s=2, follow_up={"script": "predict.py"})
        run = await ended(engine, run_id)
        exhausted = await event(engine, run_id, "budget_exhausted")

    assert (run.state, run.reason) == (RunState.FAILED, Reason.OUT_OF_TIME)
    assert run.detail == "the budget ended before the follow-up did"
    assert exhausted["stage"] == Stage.FOLLOW_UP


async def test_a_budget_that_fell_due_while_the_daemon_was_dead_is_enforced_at_the_next_start(
    open_here: OpenEngine, script: Write
) -> None:
    now = Now()
    path = script(SAVES)
    script(PREDICTS, "predict.py")
    async with open_here(clock=now.clock) as engine:
        run_id = await submit(engine, path, budget_s=100, reserve_s=50, **FOLLOWED)
        await event_seen(engine, run_id, "progress")
    now.ahead = 60.0
    async with open_here(clock=now.clock) as engine:
        run = await ended(engine, run_id)

    assert (run.state, run.reason) == (RunState.SUCCEEDED, Reason.BUDGET_EXHAUSTED)


async def test_after_the_deadline_even_a_saved_model_is_not_followed_up(
    open_here: OpenEngine, script: Write
) -> None:
    now = Now()
    path = script(SAVES)
    async with open_here(clock=now.clock) as engine:
        run_id = await submit(engine, path, budget_s=100, reserve_s=50, follow_up={"script": "predict.py"})
        await event_seen(engine, run_id, "progress")
    now.ahead = 200.0
    async with open_here(clock=now.clock) as engine:
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)

    assert (run.state, run.reason, len(attempts)) == (RunState.FAILED, Reason.OUT_OF_TIME, 1)
    assert "the budget leaves no time for the follow-up" in (run.detail or "")


async def test_a_run_still_in_line_when_its_time_for_training_is_over_ends(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_here() as engine:
        never = asyncio.get_running_loop().create_future
        monkeypatch.setattr(engine.services.queue, "join", lambda *_: never())
        run = await ended(engine, await submit(engine, script(ENDLESS), budget_s=1.2))

    assert (run.state, run.reason, run.attempt) == (RunState.FAILED, Reason.OUT_OF_TIME, 0)
    assert "no device was free" in (run.detail or "")


async def test_a_run_that_gets_its_device_too_late_launches_nothing(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Now()
    async with open_here(clock=now.clock) as engine:
        never = asyncio.get_running_loop().create_future
        monkeypatch.setattr(engine.services.queue, "join", lambda *_: never())
        run_id = await submit(engine, script(ENDLESS), budget_s=100)
    now.ahead = 99.5
    async with open_here(clock=now.clock) as engine:
        monkeypatch.undo()
        run = await ended(engine, run_id)

    assert (run.state, run.reason, run.attempt) == (RunState.FAILED, Reason.OUT_OF_TIME, 0)


async def test_an_attempt_decided_on_and_not_launched_in_time_is_not_launched_any_more(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Now()

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("supervisor.engine.conductor.carry", never)
    async with open_here(clock=now.clock) as engine:
        run_id = await submit(engine, script(ENDLESS), budget_s=100)
        await event_seen(engine, run_id, "attempt_starting")
    now.ahead = 99.5
    monkeypatch.undo()
    async with open_here(clock=now.clock) as engine:
        run = await ended(engine, run_id)
        [attempt] = await engine.attempts(run_id)
        assert not engine.log_path(run_id, Stage.TRAINING, 1).exists()

    assert (run.state, run.reason) == (RunState.FAILED, Reason.OUT_OF_TIME)
    assert (attempt.outcome, attempt.reason, attempt.pid) == (
        AttemptOutcome.STOPPED,
        Reason.BUDGET_EXHAUSTED,
        None,
    )


async def test_a_stop_of_the_user_s_is_not_made_the_budget_s(open_here: OpenEngine, script: Write) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ENDLESS
    async with open_here() as engine:
        run_id = await submit(engine, script(deaf), budget_s=2)
        await event_seen(engine, run_id, "progress")
        await engine.stop(await engine.find(run_id), 2)
        run = await ended(engine, run_id)
        types = await event_types(engine, run_id)

    assert (run.state, run.reason) == (RunState.STOPPED, Reason.USER_REQUEST)
    assert "budget_exhausted" not in types


async def test_what_is_being_stopped_for_the_budget_is_not_judged_any_more(
    open_here: OpenEngine, script: Write
) -> None:
    slow = "BATCH_SIZE = 64\nimport signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ENDLESS
    path = script(slow)
    async with open_here() as engine:
        body = {"grace_s": 1.5, "checkpoint": {"after_s": 2}, "budget_s": 3.0}
        run_id = await submit(engine, path, **body)
        run = await until(engine, run_id, lambda run: run.state.ended)

    assert (run.reason, run.attempt, run.verdict) == (Reason.OUT_OF_TIME, 1, None)
    assert path.read_text() == slow


async def test_an_underused_device_costs_no_training_that_could_not_be_relaunched(
    open_here: OpenEngine, script: Write
) -> None:
    path = script("BATCH_SIZE = 64\n" + ENDLESS)
    async with open_here() as engine:
        body = {"grace_s": 2, "checkpoint": {"after_s": 1.2}, "budget_s": 5}
        run_id = await submit(engine, path, **body)
        run = await until(engine, run_id, lambda run: run.verdict is not None or run.state.ended)
        ended_run = await ended(engine, run_id)

    # From 1 s on the kill alone could take all of the 3 s that training has.
    assert ended_run.reason is Reason.OUT_OF_TIME
    assert run.verdict is not None
    assert (run.verdict.kind, ended_run.attempt) == (VerdictKind.UNDERUSED, 1)
    assert "the budget leaves no time for a relaunch" in run.verdict.why


async def test_a_missing_artifact_fails_a_run_whose_scripts_succeeded(
    open_here: OpenEngine, script: Write
) -> None:
    path = script("print('Epoch 1/1')\n")
    sample = path.parent / "sample.csv"
    sample.write_text("id,label\n1,0\n")
    artifacts = [{"path": "submission.csv", "like": "sample.csv"}, {"path": "sample.csv"}]
    async with open_here() as engine:
        run_id = await submit(engine, path, artifacts=artifacts)
        run = await ended(engine, run_id)
        checked = await event(engine, run_id, "artifacts_checked")

    assert (run.state, run.reason) == (RunState.FAILED, Reason.ARTIFACT_MISSING)
    assert (run.detail or "").startswith(
        f"{path.parent}/submission.csv is missing; {sample} is older than the run"
    )
    assert [item["ok"] for item in checked["artifacts"]] == [False, False]


@pytest.mark.parametrize(
    ("body", "code", "what"),
    [
        ({"budget_s": 10, "grace_s": 10}, "budget_too_short", "send a budget_s of more than 10"),
        ({"budget_s": 50, "reserve_s": 60}, "budget_too_short", "send a budget_s of more than 61"),
        (
            {"budget_s": 12, "grace_s": 12, "follow_up": {"script": "p.py"}},
            "budget_too_short",
            "send a budget_s of more than 16",
        ),
        (
            {"budget_s": 40, "grace_s": 10, "reserve_s": 30, "follow_up": {"script": "p.py"}},
            "budget_too_short",
            "send a budget_s of more than 40",
        ),
        (
            {"artifacts": [{"path": "s.csv", "like": "no.csv"}]},
            "sample_not_readable",
            "no.csv is missing; send as like a CSV file that exists",
        ),
        ({"artifacts": [{"path": "s.csv", "like": "."}]}, "sample_not_readable", "is not a regular file"),
        ({"artifacts": [{"path": "s.csv", "like": "empty"}]}, "sample_not_readable", "has no header line"),
    ],
)
async def test_what_cannot_be_kept_is_refused_at_submission(
    open_here: OpenEngine, script: Write, body: dict[str, Any], code: str, what: str
) -> None:
    path = script(ENDLESS)
    (path.parent / "empty").touch()
    async with open_here() as engine:
        with pytest.raises(SubmissionError, match=what) as refused:
            await submit(engine, path, **body)
        assert await engine.runs() == []

    assert refused.value.code == code


async def test_artifacts_and_samples_outside_the_allowed_roots_are_refused(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(ENDLESS)
    async with open_here(allowed_roots=(path.parent,)) as engine:
        for artifact in ({"path": "/etc/x"}, {"path": "x", "like": "/etc/passwd"}, {"path": "../x"}):
            with pytest.raises(SubmissionError) as refused:
                await submit(engine, path, artifacts=[artifact])
            assert refused.value.code == "outside_allowed_roots"
