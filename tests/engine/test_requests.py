"""Requests to a run: relaunch, a guarded stop, restore; what is refused leaves the run as it is."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.events import Event
from supervisor.domain.run import AttemptOutcome, Phase, Reason, Run, RunState, Stage
from supervisor.engine import conductor, superseding
from supervisor.engine.engine import Engine
from supervisor.engine.journal import Journal
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.script import EditImpossibleError
from supervisor.engine.services import Services
from supervisor.engine.submission import Submission
from supervisor.store.faults import StoreError
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, event_types, until

Write = Callable[..., Path]
# Says its size, and ends well only with the one that a test relaunches it with.
TRAINS = """\
import time
BATCH_SIZE = 64
print("Epoch 1/2", BATCH_SIZE, flush=True)
BATCH_SIZE == 32 or time.sleep(60)
"""
LATE = {"checkpoint": {"after_s": 60}}


async def submit(engine: Engine, path: Path, **body: Any) -> str:
    return (await engine.submit(Submission(script=str(path), grace_s=1, **{**LATE, **body}))).id


async def warmed_up(engine: Engine, path: Path, **body: Any) -> str:
    run_id = await submit(engine, path, **body)
    await event_seen(engine, run_id, "progress")
    return run_id


async def relaunch(engine: Engine, run_id: str, **wanted: Any) -> Run:
    return await engine.relaunch(await engine.find(run_id), **wanted)


async def refusal(engine: Engine, run_id: str, **wanted: Any) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as refused:
        await relaunch(engine, run_id, **wanted)
    return refused.value


async def stopped(engine: Engine, run_id: str) -> Run:
    await engine.stop(await engine.find(run_id), 0)
    return await ended(engine, run_id)


async def event_of(engine: Engine, run_id: str, kind: str) -> Event:
    return next(event for event in await engine.events(run_id, 0, 500) if event.type == kind)


async def test_a_relaunch_with_a_size_edits_the_script_and_launches_it_anew(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(TRAINS)
    async with open_here() as engine:
        run_id = await warmed_up(engine, path)
        asked = await relaunch(engine, run_id, batch_size=32, reason="x" * 300, if_attempt=1)
        assert (asked.state, asked.phase) == (RunState.RUNNING, Phase.RELAUNCHING)
        run = await ended(engine, run_id)
        first, second = await engine.attempts(run_id)
        event = await event_of(engine, run_id, "relaunch_requested")
        kinds = await event_types(engine, run_id)

    assert (run.state, run.attempt, run.batch_size) == (RunState.SUCCEEDED, 2, 32)
    assert (first.outcome, first.reason) == (AttemptOutcome.SUPERSEDED, Reason.USER_REQUEST)
    assert (second.outcome, second.batch_size) == (AttemptOutcome.COMPLETED, 32)
    assert event.data == {"batch_size": 64, "next_batch_size": 32, "why": "x" * 200}
    order = ["relaunch_requested", "script_edited", "attempt_stopping", "attempt_ended"]
    assert [kind for kind in kinds if kind in order][:4] == order
    assert path.read_text() == TRAINS.replace("= 64", "= 32")


async def test_a_relaunch_without_a_size_launches_the_script_as_it_is_now(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(TRAINS)
    async with open_here() as engine:
        run_id = await warmed_up(engine, path)
        path.write_text("BATCH_SIZE = 16  # mended\n")
        await relaunch(engine, run_id)
        run = await ended(engine, run_id)
        kinds = await event_types(engine, run_id)
        starting = [
            event for event in await engine.events(run_id, 0, 500) if event.type == "attempt_starting"
        ]

    assert (run.state, run.attempt, run.batch_size) == (RunState.SUCCEEDED, 2, 16)
    assert "script_edited" not in kinds
    assert starting[1].data["why"] == "relaunched with the script as it is"
    assert path.read_text() == "BATCH_SIZE = 16  # mended\n"


async def test_a_size_is_put_on_top_of_what_the_caller_has_changed(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(TRAINS)
    async with open_here() as engine:
        run_id = await warmed_up(engine, path)
        path.write_text("# mended\nBATCH_SIZE = 16\n")
        await relaunch(engine, run_id, batch_size=24)
        run = await ended(engine, run_id)

    assert (run.state, run.batch_size) == (RunState.SUCCEEDED, 24)
    assert path.read_text() == "# mended\nBATCH_SIZE = 24\n"


async def test_a_size_given_by_an_argument_is_changed_there(open_here: OpenEngine, script: Write) -> None:
    text = (
        "import argparse, time\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--batch-size', type=int, default=8)\n"
        "args = parser.parse_args()\n"
        "print('Epoch 1/2', flush=True)\n"
        "args.batch_size == 32 or time.sleep(60)\n"
    )
    path = script(text)
    async with open_here() as engine:
        run_id = await warmed_up(engine, path, args=("--batch-size", "64"))
        await relaunch(engine, run_id, batch_size=32)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)

    assert run.state is RunState.SUCCEEDED
    assert [attempt.args for attempt in attempts] == [("--batch-size", "64"), ("--batch-size", "32")]
    assert path.read_text() == text


async def test_the_relaunch_of_a_caller_leaves_sizing_its_own(open_here: OpenEngine, script: Write) -> None:
    """Attempt 2 is underused and doubled although one relaunch was made and one is allowed."""
    path = script(TRAINS.replace("== 32", "== 96"))
    async with open_here() as engine:
        sizing = {"max_relaunches": 1}
        run_id = await warmed_up(engine, path, sizing=sizing, checkpoint={"after_s": 2})
        await relaunch(engine, run_id, batch_size=48)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)

    assert (run.state, run.batch_size) == (RunState.SUCCEEDED, 96)
    reasons = [attempt.reason for attempt in attempts]
    assert reasons == [Reason.USER_REQUEST, Reason.UNDERUSED_MEMORY, Reason.COMPLETED]


async def test_a_refused_relaunch_leaves_the_run_as_it_is(open_here: OpenEngine, script: Write) -> None:
    path = script(TRAINS + "bs = 8\n")
    async with open_here() as engine:
        run_id = await warmed_up(engine, path)
        before = await event_types(engine, run_id)
        conflict = await refusal(engine, run_id, if_attempt=3)
        edit = await refusal(engine, run_id, batch_size=32)
        assert (conflict.code, edit.code) == ("attempt_conflict", "edit_refused")
        assert "attempt 1 is current, and the request is for attempt 3" in str(conflict)
        assert [place["name"] for place in edit.candidates] == ["BATCH_SIZE", "bs"]

        run = await engine.find(run_id)
        assert (run.state, run.phase, run.attempt) == (RunState.RUNNING, Phase.WARMING_UP, 1)
        assert await event_types(engine, run_id) == before
        await stopped(engine, run_id)
    assert path.read_text() == TRAINS + "bs = 8\n"


async def test_an_edit_that_fails_on_disk_is_refused_and_withdrawn(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise EditImpossibleError("the disk is full")

    async with open_here() as engine:
        run_id = await warmed_up(engine, script(TRAINS))
        monkeypatch.setattr(superseding, "apply_edit", full)
        refused = await refusal(engine, run_id, batch_size=32)
        assert (refused.code, str(refused)) == ("edit_refused", "the disk is full")
        run, (attempt,) = await engine.find(run_id), await engine.attempts(run_id)
        assert (run.state, run.phase, attempt.intent) == (RunState.RUNNING, Phase.WARMING_UP, None)

        monkeypatch.undo()
        await relaunch(engine, run_id, batch_size=32)
        assert (await ended(engine, run_id)).state is RunState.SUCCEEDED


async def test_a_script_that_leads_out_of_the_allowed_roots_is_neither_edited_nor_launched(
    open_here: OpenEngine, script: Write, tmp_path: Path
) -> None:
    path = script(TRAINS)
    outside = tmp_path / "outside.py"
    inside = tmp_path / "inside"
    inside.mkdir()
    path = path.rename(inside / "train.py")
    outside.write_text(TRAINS)
    async with open_here(allowed_roots=(inside,)) as engine:
        run_id = await warmed_up(engine, path)
        path.unlink()
        path.symlink_to(outside)
        refused = await refusal(engine, run_id, batch_size=32)
        assert refused.code == "edit_refused"
        await relaunch(engine, run_id)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)

    assert outside.read_text() == TRAINS
    assert (run.state, run.reason) == (RunState.FAILED, Reason.SPAWN_FAILED)
    assert "lies outside the allowed roots" in (attempts[-1].detail or "")


async def test_what_cannot_be_relaunched_says_which_and_what_to_do(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_up = {
        "script": str(script("print('Epoch 1/1', flush=True)\nimport time\ntime.sleep(60)\n", "predict.py"))
    }
    ignores = script("import signal\nsignal.signal(15, signal.SIG_IGN)\n" + TRAINS, "ignores.py")
    async with open_here() as engine:
        run_id = await warmed_up(engine, ignores)
        await relaunch(engine, run_id, grace_s=30)
        again = await refusal(engine, run_id)
        assert "attempt 1 of run" in str(again)
        assert "is being relaunched already" in str(again)
        await engine.stop(await engine.find(run_id), 0)
        stopping = await refusal(engine, run_id)
        assert "being stopped" in str(stopping) or "has ended" in str(stopping)
        await ended(engine, run_id)
        assert "has ended (stopped): submit it again" in str(await refusal(engine, run_id))

        run_id = await submit(engine, script("print('Epoch 1/1')\n", "short.py"), follow_up=follow_up)
        await until(engine, run_id, lambda run: run.phase is Phase.FOLLOW_UP)
        in_follow_up = await refusal(engine, run_id)
        assert (in_follow_up.code, "its follow-up" in str(in_follow_up)) == ("not_relaunchable", True)
        await stopped(engine, run_id)

        monkeypatch.setattr(
            engine.services.queue, "join", lambda *_: asyncio.get_running_loop().create_future()
        )
        run_id = await submit(engine, script(TRAINS))
        assert "waits for a device" in str(await refusal(engine, run_id))
        with pytest.raises(RequestRefusedError, match="no attempt was launched yet"):
            await engine.stop(await engine.find(run_id), 0, if_attempt=1)
        assert (await stopped(engine, run_id)).state is RunState.STOPPED


async def test_a_stop_is_refused_when_another_attempt_is_current(
    open_here: OpenEngine, script: Write
) -> None:
    async with open_here() as engine:
        run_id = await warmed_up(engine, script(TRAINS))
        run = await engine.find(run_id)
        with pytest.raises(RequestRefusedError, match="attempt 1 is current") as refused:
            await engine.stop(run, 0, if_attempt=2)
        assert refused.value.code == "attempt_conflict"
        assert (await engine.find(run_id)).state is RunState.RUNNING
        await engine.stop(run, 0, if_attempt=1)
        run = await ended(engine, run_id)
        assert await engine.stop(run, 0, if_attempt=7) == run


async def test_a_request_that_meets_the_attempt_s_end_is_answered(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, asked = conductor.carry, list[asyncio.Task[Run]]()

    async def carry_and_be_asked(services: Services, journal: Journal, *rest: Any) -> frozenset[int]:
        monkeypatch.setattr("supervisor.engine.engine.relaunch_refusal", lambda *_: None)
        pids = await good(services, journal, *rest)
        asked.append(asyncio.create_task(relaunch(engine, journal.run.id)))
        await asyncio.sleep(0.05)
        return pids

    monkeypatch.setattr(conductor, "carry", carry_and_be_asked)
    async with open_here() as engine:
        run_id = await submit(engine, script("print('Epoch 1/1')\n"))
        run = await ended(engine, run_id)
        async with asyncio.timeout(10):
            with pytest.raises(RequestRefusedError, match="between two attempts"):
                await asked[0]

    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)


async def test_a_request_is_answered_when_the_conductor_fails_or_the_daemon_ends(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_here() as engine:
        run_id = await warmed_up(engine, script(TRAINS))
        database = engine.services.database

        async def full(_: object) -> None:
            raise StoreError("disk is full")

        monkeypatch.setattr(database, "write", full)
        with pytest.raises(StoreError, match="disk is full"):
            await relaunch(engine, run_id, batch_size=32)
        monkeypatch.undo()

        async def stuck(_: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(engine.services.committer, "commit", stuck)
        asked = asyncio.create_task(relaunch(engine, run_id))
        await asyncio.sleep(0.1)
    with pytest.raises(RequestRefusedError) as refused:
        await asked
    assert refused.value.code == "daemon_stopping"

    monkeypatch.undo()
    async with open_here() as engine:
        assert (await stopped(engine, run_id)).attempt == 1


async def relaunched(engine: Engine, path: Path) -> Run:
    run_id = await warmed_up(engine, path)
    await relaunch(engine, run_id, batch_size=32)
    return await ended(engine, run_id)


async def test_restore_brings_back_the_exact_script_of_attempt_1(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(TRAINS)
    async with open_here() as engine:
        run = await relaunched(engine, path)
        done = await engine.restore(run)
        again = await engine.restore(run)

    assert path.read_text() == TRAINS
    assert (done.script, done.restored, again.restored) == (str(path), True, False)
    assert done.digest == again.digest
    assert "already" in again.why


async def test_restore_leaves_what_someone_else_wrote_unless_forced(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(TRAINS)
    async with open_here() as engine:
        run = await relaunched(engine, path)
        path.write_text("BATCH_SIZE = 32  # mine\n")
        with pytest.raises(RequestRefusedError, match="send force=true") as refused:
            await engine.restore(run)
        assert refused.value.code == "script_changed"
        assert path.read_text() == "BATCH_SIZE = 32  # mine\n"
        assert (await engine.restore(run, force=True)).restored
        assert path.read_text() == TRAINS
        path.unlink()
        with pytest.raises(RequestRefusedError, match="what attempt 1 ran is kept in"):
            await engine.restore(run, force=True)


async def test_restore_is_refused_while_the_run_is_live_or_without_a_snapshot(
    open_here: OpenEngine, script: Write
) -> None:
    async with open_here() as engine:
        run_id = await warmed_up(engine, script(TRAINS))
        with pytest.raises(RequestRefusedError, match="stop it first") as live:
            await engine.restore(await engine.find(run_id))
        run = await stopped(engine, run_id)
        (engine.log_path(run_id, Stage.TRAINING, 1).parent / "script.py").unlink()
        with pytest.raises(RequestRefusedError, match="is not kept") as missing:
            await engine.restore(run)

    assert (live.value.code, missing.value.code) == ("run_live", "snapshot_missing")


async def test_an_edit_asked_for_in_vain_never_costs_the_caller_a_change(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt ends by itself between the edit and the stop: its snapshot is not what was edited."""
    path = script(
        "import pathlib, time\nBATCH_SIZE = 64\nprint('Epoch 1/2', flush=True)\n"
        + ("while not pathlib.Path('end').exists():\n    time.sleep(0.01)\n")
    )
    mine = "# mine\n" + path.read_text()
    good = superseding.apply_edit

    def edit_and_end(plan: Any) -> None:
        good(plan)
        (path.parent / "end").touch()
        while os.path.exists(f"/proc/{pids[0]}") and not (directory / "exit.json").exists():  # noqa: PTH110
            pass

    async with open_here() as engine:
        run_id = await warmed_up(engine, path)
        pids = [(await engine.attempts(run_id))[0].pid]
        directory = engine.log_path(run_id, Stage.TRAINING, 1).parent
        path.write_text(mine)
        monkeypatch.setattr(superseding, "apply_edit", edit_and_end)
        await relaunch(engine, run_id, batch_size=32)
        run = await ended(engine, run_id)
        warned = await event_of(engine, run_id, "warning")

    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert path.read_text() == mine.replace("= 64", "= 32")
    assert warned.data["code"] == "edit_not_undone"
