"""The batch size kept beside the script: its file is edited, kept, undone and restored as a script is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.domain.run import Attempt, AttemptOutcome, Reason, RunState, Stage
from supervisor.engine import superseding
from supervisor.engine.engine import Engine
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.script import Plan
from supervisor.engine.submission import Submission
from supervisor.store.encoding import Codec
from supervisor.store.statedir import SIZE_FILE
from tests.daemon import eventually
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, event_types

Write = Callable[..., Path]
TRAINS = """\
import json, pathlib, time
cfg = json.load(open("config.json"))
BATCH_SIZE = cfg["batch_size"]
with open("launches", "a") as file:
    print(BATCH_SIZE, file=file)
batch = b"x" * (BATCH_SIZE << 20)
print("Epoch 1/2", flush=True)
if not pathlib.Path("finish").exists():
    time.sleep(0.8 if BATCH_SIZE > 64 else 60)
"""
CONFIG = '{"lr": 1e-3,   "batch_size": 64}\n'
FLAGGED = """\
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
BATCH_SIZE = parser.parse_args().batch_size
with open("launches", "a") as file:
    print(BATCH_SIZE, file=file)
batch = b"x" * (BATCH_SIZE << 20)
print("Epoch 1/2", flush=True)
time.sleep(0.8 if BATCH_SIZE > 64 else 60)
"""


async def test_the_file_beside_is_doubled_kept_and_restored(open_here: OpenEngine, script: Write) -> None:
    path, config = script(TRAINS), script(CONFIG, "config.json")
    async with open_here() as engine:
        run = await _finished(engine, path)
        attempts = await engine.attempts(run)
        edits = [event.data for event in await engine.events(run, 0, 500) if event.type == "script_edited"]
        kept = [_kept(engine, run, number).read_text() for number in (1, 2)]
        assert config.read_text() == CONFIG.replace("64", "128")

        done = await engine.restore(await engine.find(run))
        again = await engine.restore(await engine.find(run))

    assert [attempt.batch_size for attempt in attempts] == [64, 128]
    assert edits == [{"script": str(config), "line": 1, "old": 64, "new": 128}]
    assert kept == [CONFIG, CONFIG.replace("64", "128")]
    assert config.read_text() == CONFIG
    assert path.read_text() == TRAINS
    assert (done.restored, done.size_file) == (True, str(config))
    assert again.restored is False
    assert (path.parent / "launches").read_text() == "64\n128\n"


async def test_a_file_that_somebody_changed_since_the_launch_is_left_alone(
    open_here: OpenEngine, script: Write
) -> None:
    path, config = script(TRAINS), script(CONFIG, "config.json")
    mine = CONFIG.replace("1e-3", "3e-4")
    async with open_here() as engine:
        run = (await engine.submit(_submission(path))).id
        await event_seen(engine, run, "attempt_started")
        config.write_text(mine)
        await event_seen(engine, run, "verdict")
        refused = [event.data for event in await engine.events(run, 0, 500) if event.type == "edit_refused"]
        await engine.stop(await engine.find(run), 0)
        await ended(engine, run)

    assert [event["reason"] for event in refused] == ["script_changed"]
    assert str(config) in refused[0]["why"]
    assert config.read_text() == mine


async def test_what_others_made_of_the_file_since_is_not_restored_over(
    open_here: OpenEngine, script: Write
) -> None:
    path, config = script(TRAINS), script(CONFIG, "config.json")
    async with open_here() as engine:
        run = await _finished(engine, path)
        config.write_text('{"batch_size": 7}')
        with pytest.raises(RequestRefusedError, match=r"config\.json is neither"):
            await engine.restore(await engine.find(run))
        assert config.read_text() == '{"batch_size": 7}'
        await engine.restore(await engine.find(run), force=True)

    assert config.read_text() == CONFIG


async def test_a_file_that_the_run_never_changed_is_not_restored(
    open_here: OpenEngine, script: Write
) -> None:
    path, config = script(TRAINS), script(CONFIG, "config.json")
    script("", "finish")
    async with open_here() as engine:
        run = await _finished(engine, path, checkpoint={"after_s": 30})
        config.write_text("{}")
        done = await engine.restore(await engine.find(run))

    assert (done.restored, done.size_file, config.read_text()) == (False, None, "{}")


async def test_an_edit_that_came_to_nothing_is_undone(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script ends by itself between the edit and the stop."""
    path, config = script(TRAINS), script(CONFIG, "config.json")
    path.write_text(
        TRAINS.replace("    time.sleep(0.8 if BATCH_SIZE > 64 else 60)", "    pass").replace(
            "if not", "while not"
        )
    )
    good, edited = superseding.apply_edit, list[str]()

    async with open_here() as engine:
        run = (await engine.submit(_submission(path, checkpoint={"after_s": 30}))).id
        await event_seen(engine, run, "progress")
        record = _kept(engine, run, 1).with_name("exit.json")

        def edit_and_end(plan: Plan) -> None:
            good(plan)
            edited.append(config.read_text())
            (path.parent / "finish").touch()
            eventually(record.exists)

        monkeypatch.setattr(superseding, "apply_edit", edit_and_end)
        await engine.relaunch(await engine.find(run), batch_size=128)
        await ended(engine, run)
        attempts = await engine.attempts(run)

    assert [attempt.outcome for attempt in attempts] == [AttemptOutcome.COMPLETED]
    assert edited == [CONFIG.replace("64", "128")]
    assert config.read_text() == CONFIG


async def test_the_argument_is_appended_where_files_are_not_to_be_touched(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(FLAGGED)
    async with open_here() as engine:
        run = await _finished(engine, path, sizing={"edit": "args"})
        attempts = await engine.attempts(run)

    assert [attempt.args for attempt in attempts] == [(), ("--batch-size", "128")]
    assert [attempt.batch_size for attempt in attempts] == [64, 128]
    assert path.read_text() == FLAGGED
    assert (path.parent / "launches").read_text() == "64\n128\n"


async def test_without_a_flag_nothing_is_edited_by_argument(open_here: OpenEngine, script: Write) -> None:
    path = script(TRAINS)
    script(CONFIG, "config.json")
    async with open_here() as engine:
        run = (await engine.submit(_submission(path, sizing={"edit": "args"}))).id
        await event_seen(engine, run, "edit_refused")
        refused = [event.data for event in await engine.events(run, 0, 500) if event.type == "edit_refused"]
        (path.parent / "finish").touch()
        await engine.stop(await engine.find(run), 0)
        await ended(engine, run)

    assert "no flag of the script is certain" in refused[0]["why"]


async def test_a_file_outside_the_allowed_roots_is_not_read(open_here: OpenEngine, tmp_path: Path) -> None:
    inside, elsewhere = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    elsewhere.mkdir()
    (elsewhere / "config.json").write_text(CONFIG)
    (inside / "config.json").symlink_to(elsewhere / "config.json")
    path = inside / "train.py"
    path.write_text(TRAINS)
    (inside / "finish").touch()
    async with open_here(allowed_roots=(inside,)) as engine:
        run = await _finished(engine, path)
        attempts = await engine.attempts(run)
        assert not _kept(engine, run, 1).exists()

    assert (attempts[0].batch_size, attempts[0].size_file) == (None, None)


async def test_a_chosen_line_decides_where_the_search_cannot(open_here: OpenEngine, script: Write) -> None:
    text = FLAGGED.replace("BATCH_SIZE = parser.parse_args().batch_size", "BATCH_SIZE = 64\nbs = 32")
    text = text.replace('parser.add_argument("--batch-size", type=int, default=64)\n', "")
    path = script(text)
    async with open_here() as engine:
        run = await _finished(engine, path, batch_size_at=3)
        attempts = await engine.attempts(run)

    assert [attempt.batch_size for attempt in attempts] == [64, 128]
    assert path.read_text() == text.replace("BATCH_SIZE = 64", "BATCH_SIZE = 128")


def test_an_attempt_stored_before_there_were_such_files_still_loads() -> None:
    old = Codec(Attempt).encode(Attempt(Stage.TRAINING, 1, 64, ()))
    row = json.loads(old)
    row["intent"] = {"reason": Reason.USER_REQUEST, "grace_s": 1, "edited": ["a", "b"]}
    del row["size_file"]
    loaded = Codec(Attempt).decode(json.dumps(row))
    assert loaded.size_file is None
    assert loaded.intent is not None
    assert (loaded.intent.edited, loaded.intent.file) == (("a", "b"), None)


def _submission(path: Path, **body: object) -> Submission:
    return Submission.model_validate({"script": str(path), "grace_s": 5} | body)


def _kept(engine: Engine, run: str, number: int) -> Path:
    return engine.log_path(run, Stage.TRAINING, number).with_name(SIZE_FILE)


async def _finished(engine: Engine, path: Path, **body: object) -> str:
    run = (await engine.submit(_submission(path, **body))).id
    done = await ended(engine, run)
    assert done.state is RunState.SUCCEEDED, (done, await event_types(engine, run))
    return run
