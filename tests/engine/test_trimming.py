"""Logs within their bound on disk, by real scripts under a real engine."""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.domain.run import Attempt, Run, Stage
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission
from supervisor.engine.trimming import mark_for
from supervisor.process import holes
from supervisor.process.logfile import COMPARED
from supervisor.store.faults import StoreError
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, event_seen, until

MIB = 2**20
BOUND = MIB
# 8 MiB in numbered lines, 80 memory figures among them, and then it waits.
TALK = """\
import os, pathlib, time
for n in range(80):
    os.write(1, b"".join(b"%010d%s\\n" % (n * 1000 + m, b" " * 89) for m in range(1000)))
    os.write(1, b"GPU Memory Used: %d MiB\\n" % (n + 1))
    time.sleep(0.01)
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@given(st.integers(0, 2**40), st.integers(2**20, 2**32), st.sampled_from([4096, 2**17]))
def test_what_is_kept_is_no_more_than_the_bound_and_no_less_than_what_is_compared(
    offset: int, max_bytes: int, block: int
) -> None:
    mark = mark_for(offset, max_bytes, block)
    assert mark % block == 0
    assert mark == 0 or COMPARED <= offset - mark <= max_bytes
    assert offset - mark <= max_bytes or mark > 0


async def submit(engine: Engine, path: Path) -> Run:
    return await engine.submit(Submission(script=str(path), cwd=str(path.parent)))


async def first(engine: Engine, run_id: str) -> Attempt:
    return (await engine.attempts(run_id))[0]


async def figures(engine: Engine, run_id: str) -> list[int]:
    """Every memory figure that was told, in MiB: each was higher than the one before."""
    events = await engine.events(run_id, 0, 500)
    return [event.data["used"] // MIB for event in events if event.type == "memory_reported"]


def first_data(path: Path) -> int:
    with path.open("rb") as file:
        return holes.first_data(file.fileno())


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


async def warnings(engine: Engine, run_id: str) -> list[str]:
    return [event.data["code"] for event in await engine.events(run_id, 0, 500) if event.type == "warning"]


async def told(engine: Engine, run_id: str, figure: int) -> None:
    """Until the script's figure of so many MiB was told."""
    await until(
        engine,
        run_id,
        lambda run: run.observed.reported is not None and run.observed.reported.used == figure * MIB,
    )


async def test_a_long_log_stays_within_its_bound_and_every_line_is_seen(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(TALK)
    async with open_here(log_max_bytes=BOUND) as engine:
        run = await submit(engine, path)
        await told(engine, run.id, 80)
        (path.parent / "finish").touch()
        await ended(engine, run.id)
        attempt = await first(engine, run.id)
        log = engine.log_path(run.id, Stage.TRAINING, 1)
        assert log.stat().st_size > 7 * MIB
        assert allocated(log) <= BOUND + 64 * 1024
        assert await asyncio.to_thread(first_data, log) == attempt.log_trimmed
        assert await figures(engine, run.id) == list(range(1, 81))
        assert await warnings(engine, run.id) == []
        mark = (await engine.log_trimmed(run.id, Stage.TRAINING, 1))()
        assert mark == attempt.log_trimmed > 6 * MIB


async def test_a_mark_that_was_recorded_and_not_punched_is_made_good(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(TALK)
    with monkeypatch.context() as broken:
        broken.setattr("supervisor.engine.trimming.punch_head", lambda *_: None)
        async with open_here(log_max_bytes=BOUND) as engine:
            run = await submit(engine, path)
            await told(engine, run.id, 80)
            log = engine.log_path(run.id, Stage.TRAINING, 1)
            assert allocated(log) > 7 * MIB
    async with open_here(log_max_bytes=BOUND) as engine:
        await event_seen(engine, run.id, "attempt_adopted")
        async with asyncio.timeout(20):
            while allocated(log) > 2 * BOUND:
                await asyncio.sleep(0.01)
        (path.parent / "finish").touch()
        await ended(engine, run.id)
        assert await figures(engine, run.id) == list(range(1, 81))


async def test_a_log_that_grew_and_ended_while_the_daemon_was_dead_is_trimmed_when_it_is_read(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(
        "import pathlib, time\nprint('GPU Memory Used: 1 MiB', flush=True)\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.01)\n" + TALK
    )
    async with open_here(log_max_bytes=BOUND) as engine:
        run = await submit(engine, path)
        await event_seen(engine, run.id, "memory_reported")
        log = engine.log_path(run.id, Stage.TRAINING, 1)
    (path.parent / "finish").touch()
    (path.parent / "go").touch()
    async with asyncio.timeout(30):
        while not log.with_name("exit.json").exists():
            await asyncio.sleep(0.01)
    assert allocated(log) > 7 * MIB
    async with open_here(log_max_bytes=BOUND) as engine:
        await ended(engine, run.id)
        assert allocated(log) <= BOUND + 64 * 1024
        assert await figures(engine, run.id) == list(range(1, 81))


async def test_without_a_bound_nothing_goes(open_here: OpenEngine, script: Callable[..., Path]) -> None:
    path = script(TALK)
    (path.parent / "finish").touch()
    async with open_here(log_max_bytes=0) as engine:
        run = await submit(engine, path)
        await ended(engine, run.id)
        assert allocated(engine.log_path(run.id, Stage.TRAINING, 1)) > 7 * MIB
        assert (await first(engine, run.id)).log_trimmed == 0


async def test_where_holes_cannot_be_made_it_is_said_once_and_the_log_stays_whole(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.engine.trimming.can_punch", lambda _: False)
    path = script(TALK)
    (path.parent / "finish").touch()
    async with open_here(log_max_bytes=BOUND) as engine:
        run = await submit(engine, path)
        assert (await ended(engine, run.id)).state == "succeeded"
        assert await warnings(engine, run.id) == ["log_not_bounded"]
        assert (await first(engine, run.id)).log_trimmed == 0
        assert allocated(engine.log_path(run.id, Stage.TRAINING, 1)) > 7 * MIB


async def test_a_disk_that_refuses_holds_up_nothing(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, end: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("supervisor.engine.trimming.punch_head", refuse)
    path = script(TALK)
    (path.parent / "finish").touch()
    async with open_here(log_max_bytes=BOUND) as engine:
        run = await submit(engine, path)
        assert (await ended(engine, run.id)).state == "succeeded"
        assert await warnings(engine, run.id) == ["log_not_bounded"]


async def test_what_cannot_be_recorded_is_not_punched(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(TALK)
    (path.parent / "finish").touch()
    async with open_here(log_max_bytes=BOUND) as engine:
        commit = engine.services.committer.commit

        async def refuse(change: object) -> None:
            if getattr(change, "attempt", None) and change.attempt.log_trimmed:  # type: ignore[attr-defined]
                raise StoreError("the disk is full")
            await commit(change)  # type: ignore[arg-type]

        monkeypatch.setattr(engine.services.committer, "commit", refuse)
        run = await submit(engine, path)
        assert (await ended(engine, run.id)).state == "succeeded"
        assert (await first(engine, run.id)).log_trimmed == 0
        assert allocated(engine.log_path(run.id, Stage.TRAINING, 1)) > 7 * MIB


CUT = """\
import pathlib, time
def await_(name):
    deadline = time.monotonic() + 60
    while not pathlib.Path(name).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
print("GPU Memory Used: 1 MiB", flush=True)
await_("go")
print("GPU Memory Used: 2 MiB", flush=True)
await_("finish")
print("GPU Memory Used: 3 MiB", flush=True)
"""


async def test_a_log_cut_by_others_is_read_on_and_said_once_over_a_restart_too(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(CUT)
    async with open_here() as engine:
        run = await submit(engine, path)
        await event_seen(engine, run.id, "memory_reported")
        log = engine.log_path(run.id, Stage.TRAINING, 1)
        os.truncate(log, 0)
        (path.parent / "go").touch()
        await told(engine, run.id, 2)
    async with open_here() as engine:
        (path.parent / "finish").touch()
        await ended(engine, run.id)
        assert await figures(engine, run.id) == [1, 2, 3]
        assert await warnings(engine, run.id) == ["log_truncated"]
        assert log.read_text() == "GPU Memory Used: 2 MiB\nGPU Memory Used: 3 MiB\n"


@pytest.mark.parametrize("removal", ["unlink", "rename", "replace"])
async def test_a_log_removed_or_renamed_is_read_to_its_end_over_a_restart_too(
    open_here: OpenEngine, script: Callable[..., Path], removal: str
) -> None:
    path = script(CUT)
    async with open_here() as engine:
        run = await submit(engine, path)
        await event_seen(engine, run.id, "memory_reported")
        log = engine.log_path(run.id, Stage.TRAINING, 1)
        log.unlink() if removal == "unlink" else log.rename(log.with_name("log.1"))
        if removal == "replace":
            log.write_text("GPU Memory Used: 9 MiB\n" * 100)
        (path.parent / "go").touch()
        await told(engine, run.id, 2)
    async with open_here() as engine:
        await event_seen(engine, run.id, "attempt_adopted")
        (path.parent / "finish").touch()
        await ended(engine, run.id)
        assert await figures(engine, run.id) == [1, 2, 3]
        assert await warnings(engine, run.id) == ["log_gone"]


def test_attempts_recorded_before_there_was_a_mark_have_none() -> None:
    from supervisor.store.encoding import Codec

    codec = Codec(Attempt)
    attempt = Attempt(Stage.TRAINING, 1, 64, ())
    old = codec.encode(replace(attempt, log_offset=7)).replace('"log_trimmed":0,', "")
    assert "log_trimmed" not in old
    assert codec.decode(old) == replace(attempt, log_offset=7)
