"""What is kept of runs that have ended."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.engine import retention
from supervisor.engine.config import Clock, RetentionPolicy
from supervisor.engine.engine import Engine, UnknownRunError
from supervisor.engine.retention import KEY_AGE_S, expendable, remove_directory, tidy
from supervisor.engine.submission import Submission
from supervisor.store.faults import StoreError
from supervisor.store.idempotency import KeyTakenError, Remembered
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen

Write = Callable[..., Path]
ENDED = [("a", 10.0), ("c", 30.0), ("b", 20.0)]
ENDLESS = "import time\nprint('Epoch 1/2', flush=True)\ntime.sleep(60)\n"


@pytest.mark.parametrize(
    ("policy", "live", "gone"),
    [
        (RetentionPolicy(3, 100), (), []),
        (RetentionPolicy(1, 100), (), ["a", "b"]),
        (RetentionPolicy(3, 15), (), ["a", "b"]),
        (RetentionPolicy(2, 5), (), ["a", "b", "c"]),
        (RetentionPolicy(3, 0), (), []),
        (RetentionPolicy(2, 15), ("a",), ["b"]),
    ],
    ids=["room for all", "too many", "too old", "both", "for ever", "one is live"],
)
def test_those_that_ended_first_go_first(
    policy: RetentionPolicy, live: tuple[str, ...], gone: list[str]
) -> None:
    assert expendable(ENDED, policy, now=36.0, live=live) == gone


def test_a_link_is_removed_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "weights").write_text("mine")
    run = tmp_path / "runs" / "r1"
    run.mkdir(parents=True)
    (run / "folder").symlink_to(outside)
    (run / "file").symlink_to(outside / "weights")
    instead = tmp_path / "runs" / "r2"
    instead.symlink_to(outside)

    remove_directory(run)
    remove_directory(instead)
    remove_directory(tmp_path / "runs" / "r3")
    assert list((tmp_path / "runs").iterdir()) == []
    assert (outside / "weights").read_text() == "mine"


async def twice(engine: Engine) -> None:
    """Until two passes were made."""
    for passes in range(2):
        assert await engine.hub.wait_beyond("tidied", passes, 10)


async def finished(engine: Engine, path: Path) -> str:
    run_id = (await engine.submit(Submission(script=str(path)))).id
    await ended(engine, run_id)
    return run_id


async def test_a_pass_removes_rows_and_files_of_ended_runs_and_leaves_a_live_one(
    open_here: OpenEngine, script: Write
) -> None:
    short, endless = script("print('Epoch 1/1')\n"), script(ENDLESS, "endless.py")
    async with open_here(retention=RetentionPolicy(max_runs=1)) as engine:
        live = (await engine.submit(Submission(script=str(endless), grace_s=0))).id
        await event_seen(engine, live, "attempt_started")
        first, second = await finished(engine, short), await finished(engine, short)
        state_dir = engine.services.state_dir

        assert await tidy(engine.services, engine.live_ids) == [first]
        with pytest.raises(UnknownRunError):
            await engine.find(first)
        assert await engine.events(first, 0, 10) == []
        assert {path.name for path in (state_dir.root / "runs").iterdir()} == {live, second}
        await engine.stop(await engine.find(live), 0)
        await ended(engine, live)


async def test_a_pass_comes_at_the_start_and_takes_up_one_that_was_cut_short(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("print('Epoch 1/1')\n")
    async with open_here() as engine:
        first, second = await finished(engine, path), await finished(engine, path)
        remove_directory(engine.services.state_dir.run_dir(first))
    passes: list[list[str]] = []
    good = retention.tidy

    async def counted(*given: object) -> list[str]:
        passes.append(await good(*given))  # type: ignore[arg-type] # passed on
        engine.hub.changed("tidied")
        return passes[-1]

    monkeypatch.setattr(retention, "tidy", counted)
    async with open_here(retention=RetentionPolicy(max_runs=1, every_s=0.01)) as engine:
        await twice(engine)
        kept = [run.id for run in await engine.runs()]

    assert (passes[0], passes[1]) == ([first], [])
    assert kept == [second]


async def test_a_directory_that_cannot_be_removed_keeps_its_rows_for_the_next_pass(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_here(retention=RetentionPolicy(max_runs=0)) as engine:
        run_id = await finished(engine, script("print('Epoch 1/1')\n"))

        def refuse(_: Path) -> None:
            raise OSError("read-only")

        monkeypatch.setattr(retention, "remove_directory", refuse)
        assert await tidy(engine.services, engine.live_ids) == []
        monkeypatch.undo()
        assert await tidy(engine.services, engine.live_ids) == [run_id]


async def test_a_pass_that_fails_is_tried_again(
    open_here: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    async def failing(*_: object) -> list[str]:
        tries.append(1)
        engine.hub.changed("tidied")
        raise StoreError("disk is full")

    monkeypatch.setattr(retention, "tidy", failing)
    async with open_here(retention=RetentionPolicy(every_s=0.01)) as engine:
        await twice(engine)
    assert len(tries) >= 2


async def test_a_submission_is_remembered_with_its_run_for_a_day(
    open_here: OpenEngine, script: Write
) -> None:
    hours = [0.0]
    clock = Clock()
    async with open_here(clock=replace(clock, wall=lambda: clock.wall() + hours[0] * 3600)) as engine:
        asked = Submission(script=str(script("print('Epoch 1/1')\n")))
        run = await engine.submit(asked, remember=lambda run: Remembered("key", "digest", f"answer {run.id}"))
        with pytest.raises(KeyTakenError):
            await engine.submit(asked, remember=lambda _: Remembered("key", "digest", "another"))
        await ended(engine, run.id)

        found = await engine.remembered("key")
        assert found is not None
        assert (found.run_id, found.answer) == (run.id, f"answer {run.id}")
        assert [item.id for item in await engine.runs()] == [run.id]
        hours[0] = KEY_AGE_S / 3600 + 1
        await tidy(engine.services, engine.live_ids)
        assert await engine.remembered("key") is None
