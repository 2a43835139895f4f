"""What a damaged store has lost is known from the directories of runs; nothing is launched for it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.run import AttemptOutcome, Reason, RunState, Stage
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, until

TRAIN = """\
import pathlib, time
BATCH_SIZE = 64
with open("launches", "a") as file:
    print(BATCH_SIZE, file=file)
print("Epoch 1/2", flush=True)
while not pathlib.Path("finish").exists():
    time.sleep(0.01)
print("Epoch 2/2", flush=True)
"""
LATE = {"checkpoint": {"after_s": 60}}


def break_store(path: Path, table: str = "samples") -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        page = connection.execute(query, (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


async def started(engine: Engine, run_id: str) -> None:
    await event_seen(engine, run_id, "progress")


async def test_an_attempt_begun_after_what_can_be_read_is_taken_up_and_the_one_before_it_closed(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    path, store, copy = script(TRAIN), tmp_path / "state" / "traind.db", tmp_path / "copy.db"
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path), **LATE))).id
        await started(engine, run_id)
        await engine.services.committer.flush()
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        await engine.relaunch(await engine.find(run_id), batch_size=128)
        run = await until(engine, run_id, lambda run: run.attempt == 2)
        await event_seen(engine, run_id, "attempt_ended")
        await until(engine, run_id, lambda _: (path.parent / "launches").read_text() == "64\n128\n")
        pid = (await engine.attempts(run_id))[-1].pid
    store.write_bytes(copy.read_bytes())
    break_store(store)

    async with open_here() as engine:
        assert engine.notices
        await event_seen(engine, run_id, "attempt_adopted")
        first, second = await engine.attempts(run_id)
        run = await engine.find(run_id)
        assert (first.outcome, first.signal) == (AttemptOutcome.SUPERSEDED, 15)
        assert (second.pid, second.batch_size) == (pid, 128)
        assert second.verdict is not None
        assert second.verdict.kind is VerdictKind.NO_EVIDENCE
        assert (run.attempt, run.batch_size) == (2, 128)
        (path.parent / "finish").touch()
        run = await ended(engine, run_id)
        numbers = [event.number for event in await engine.events(run_id, 0, 500)]
    assert (run.state, run.reason) == (RunState.SUCCEEDED, Reason.COMPLETED)
    assert (path.parent / "launches").read_text() == "64\n128\n"
    assert numbers == sorted(set(numbers))
    assert max(numbers) > 10_000


async def test_a_run_whose_record_is_gone_is_lost_where_it_does_not_live_and_nothing_follows_on_it(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(TRAIN)
    follow_up = {"script": str(script("open('launches', 'a').write('predicted')", "predict.py"))}
    (path.parent / "finish").touch()
    async with open_here() as engine:
        submission = Submission(script=str(path), follow_up=follow_up, **LATE)
        run_id = (await engine.submit(submission)).id
        await ended(engine, run_id)
    launches = (path.parent / "launches").read_text()
    (tmp_path / "state" / "traind.db").write_bytes(b"noise" * 4096)
    (tmp_path / "state" / "runs" / "odd" / "attempt-1").mkdir(parents=True)
    (tmp_path / "state" / "runs" / "odd" / "attempt-1" / "spec.json").write_text("{}")

    async with open_here() as engine:
        run = await engine.find(run_id)
        attempts = await engine.attempts(run_id)
    assert (run.state, run.reason) == (RunState.LOST, Reason.INTERNAL_ERROR)
    assert f"runs/{run_id}" in str(run.detail)
    assert [(attempt.stage, attempt.outcome) for attempt in attempts] == [
        (Stage.TRAINING, AttemptOutcome.COMPLETED),
        (Stage.FOLLOW_UP, AttemptOutcome.COMPLETED),
    ]
    assert (path.parent / "launches").read_text() == launches


async def test_a_run_that_has_ended_on_record_stays_as_it_is(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(TRAIN)
    (path.parent / "finish").touch()
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path), **LATE))).id
        before = await ended(engine, run_id)
    break_store(tmp_path / "state" / "traind.db")

    async with open_here() as engine:
        assert engine.notices
        assert await engine.find(run_id) == before


async def test_a_record_that_makes_no_sense_is_as_none(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(TRAIN)
    (path.parent / "finish").touch()
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path), **LATE))).id
        await ended(engine, run_id)
    directory = tmp_path / "state" / "runs" / run_id
    (directory / "run.json").write_text("[1]")
    (directory / "attempt-1" / "exit.json").write_text("[1]")
    (tmp_path / "state" / "traind.db").write_bytes(b"noise" * 4096)

    async with open_here() as engine:
        assert await engine.runs() == []
        assert len(engine.notices) == 1
