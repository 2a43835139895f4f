"""What a start of the engine finds, and what it waits for before it takes submissions."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from supervisor.domain.checkpoint import CheckpointPolicy
from supervisor.domain.run import AttemptOutcome, RunState
from supervisor.engine.committer import Committer
from supervisor.engine.config import Timeouts
from supervisor.engine.submission import Submission
from supervisor.process.records import take_lock
from supervisor.store.faults import StoreError
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, event_types

WAITS = """\
import pathlib, time
BATCH_SIZE = 64
print("Fold 1/1, Epoch 1/1, Loss: 0.5", flush=True)
while not pathlib.Path("finish").exists():
    time.sleep(0.01)
"""


async def test_engine_that_is_open_knows_what_became_of_every_attempt(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(WAITS)
    body = {"script": str(path), "checkpoint": {"after_s": 60}}
    async with open_here() as engine:
        runs = [(await engine.submit(Submission(**body))).id for _ in range(8)]
        for run_id in runs:
            await event_seen(engine, run_id, "progress")

    async with open_here() as engine:
        adopted = [(await event_types(engine, run_id)).count("attempt_adopted") for run_id in runs]
        (path.parent / "finish").touch()
        states = {(await ended(engine, run_id)).state for run_id in runs}

    assert adopted == [1] * 8
    assert states == {RunState.SUCCEEDED}


async def test_attempt_that_tells_nothing_holds_up_the_start_only_so_long(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(WAITS)
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path)))).id
        await event_seen(engine, run_id, "progress")
        directory = engine.log_path(run_id, (await engine.attempts(run_id))[0].stage, 1).parent
    (path.parent / "finish").touch()
    # As a shim leaves it that is suspended between its lock and its record of the start.
    hidden = directory.with_name("hidden")
    directory.rename(hidden)
    directory.mkdir()
    held = take_lock(str(directory))
    assert held is not None

    async with open_here(timeouts=Timeouts(take_up_s=0.2, conductor_restart_s=0.05)) as engine:
        run = await engine.find(run_id)
        assert run.state is RunState.RUNNING
        assert (await engine.attempts(run_id))[0].outcome is AttemptOutcome.RUNNING
        for record in hidden.iterdir():
            record.replace(directory / record.name)
        os.close(held)
        assert (await ended(engine, run_id)).state is RunState.SUCCEEDED


async def test_run_whose_row_makes_no_sense_is_named_and_keeps_no_other_from_its_end(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(WAITS)
    body = {"script": str(path), "checkpoint": {"after_s": 60}}
    async with open_here() as engine:
        first, second = [(await engine.submit(Submission(**body))).id for _ in range(2)]
        for run_id in (first, second):
            await event_seen(engine, run_id, "progress")
    with closing(sqlite3.connect(tmp_path / "state" / "traind.db")) as connection, connection:
        connection.execute("UPDATE runs SET body = '{}' WHERE id = ?", (first,))
    (path.parent / "finish").touch()

    async with open_here() as engine:
        assert [first in notice for notice in engine.notices] == [True]
        assert (await ended(engine, second)).state is RunState.SUCCEEDED


async def test_start_that_cannot_be_recorded_is_tried_again_and_leaves_no_descriptor_open(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(WAITS)
    async with open_here(checkpoint=CheckpointPolicy(after_s=60)) as engine:
        run_id = (await engine.submit(Submission(script=str(path)))).id
        await event_seen(engine, run_id, "progress")

    failed = 0

    async def fails(*_: object, **__: object) -> None:
        nonlocal failed
        failed += 1
        raise StoreError("the disk is full")

    monkeypatch.setattr(Committer, "commit", fails)
    timeouts = Timeouts(take_up_s=0.1, conductor_restart_s=0.02)
    async with open_here(checkpoint=CheckpointPolicy(after_s=60), timeouts=timeouts) as engine:
        while failed < 3:
            await asyncio.sleep(0.01)
        before = pidfds()
        while failed < 10:
            await asyncio.sleep(0.01)
        assert pidfds() <= before
        monkeypatch.undo()
        (path.parent / "finish").touch()
        assert (await ended(engine, run_id)).state is RunState.SUCCEEDED


def pidfds() -> int:
    """How many processes this one holds a descriptor of."""
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(str(entry.readlink()))
    return sum("pidfd" in link for link in links)
