"""An attempt's log on its way into the inbox: all of it, in order, however it is held up."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.engine.inbox import Inbox, LogCut, LogGrown, Output, OutputEnded
from supervisor.engine.outflow import Outflow
from supervisor.output.records import Progress
from supervisor.process.inotify import Inotify
from supervisor.process.logfile import CHUNK


@pytest.fixture
async def inotify() -> AsyncIterator[Inotify]:
    made = Inotify()
    yield made
    made.close()


def line(epoch: int) -> bytes:
    return b"Epoch %d/9999\n" % epoch


def epochs(happening: object) -> list[int | None]:
    assert isinstance(happening, Output)
    return [item.record.epoch for item in happening.batch.records if isinstance(item.record, Progress)]


async def drained(inbox: Inbox) -> tuple[list[int | None], OutputEnded]:
    """All epochs up to the end of the output, and that end."""
    found: list[int | None] = []
    async with asyncio.timeout(20):
        while not isinstance(happening := await inbox.get(), OutputEnded):
            found += epochs(happening)
    return found, happening


async def test_a_line_is_told_as_it_is_written(inotify: Inotify, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0)
    with log.open("ab", buffering=0) as file:
        for epoch in range(1, 4):
            file.write(line(epoch)[:4])
            file.write(line(epoch)[4:])
            async with asyncio.timeout(10):
                assert epochs(await inbox.get()) == [epoch]
    outflow.close()


async def test_reading_begins_at_the_offset_and_ends_at_the_final_size(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(line(1) + line(2) + line(3))
    size = len(line(1))
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, size)
    assert epochs(await inbox.get()) == [2, 3]
    outflow.close()

    outflow = Outflow(inotify, inbox, tmp_path / "log", 0)
    outflow.finish(2 * size)
    assert (await drained(inbox))[0][:2] == [1, 2]
    outflow.close()


async def test_an_inbox_that_is_full_holds_the_log_up_and_loses_nothing(
    inotify: Inotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.engine.outflow.FULL_RETRY_S", 0.001)
    log = tmp_path / "log"
    count = 4 * CHUNK // len(line(1000))
    log.write_bytes(b"".join(line(1000 + number) for number in range(count)))
    inbox: Inbox = asyncio.Queue(maxsize=1)
    outflow = Outflow(inotify, inbox, log, 0)
    outflow.finish(log.stat().st_size)
    for _ in range(20):
        await asyncio.sleep(0.002)
    assert inbox.qsize() == 1

    found, end = await drained(inbox)
    assert found == [1000 + number for number in range(count) if 1000 + number <= 9999]
    assert end == OutputEnded(0)
    outflow.close()


async def test_the_unfinished_last_line_counts_and_lost_bytes_are_told(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(line(1).rstrip())
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0)
    outflow.finish(100)
    assert await drained(inbox) == ([1], OutputEnded(100 - len(line(1)) + 1))
    outflow.close()


async def test_a_log_that_never_came_ends_empty(inotify: Inotify, tmp_path: Path) -> None:
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, tmp_path / "none", 0)
    outflow.finish(None)
    assert await drained(inbox) == ([], OutputEnded(0))
    outflow.close()


async def test_a_log_that_cannot_be_watched_is_looked_at_from_time_to_time(
    inotify: Inotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.engine.outflow._TROUBLE_RETRY_S", 0.01)
    log = tmp_path / "log"
    log.write_bytes(line(1))
    watches = iter([OSError("no watches left"), OSError("no watches left")])
    good = inotify.once

    def once(descriptor: int, wake: object) -> None:
        error = next(watches, None)
        if error is not None:
            raise error
        good(descriptor, wake)  # type: ignore[arg-type]

    monkeypatch.setattr(inotify, "once", once)
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0)
    async with asyncio.timeout(10):
        assert epochs(await inbox.get()) == [1]
    outflow.close()


async def test_a_log_over_its_bound_is_told_behind_all_that_was_read(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(line(1000) * 1000)
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0, max_bytes=8000)
    assert isinstance(await inbox.get(), Output)
    assert await inbox.get() == LogGrown(16_000)
    with log.open("ab") as file:
        file.write(line(1001) * 100)
    assert isinstance(await inbox.get(), Output)
    assert inbox.empty()  # a quarter of the bound is left to grow again
    with log.open("ab") as file:
        file.write(line(1002) * 100)
    assert isinstance(await inbox.get(), Output)
    assert await inbox.get() == LogGrown(19_200)
    outflow.close()


async def test_a_log_that_grew_while_nobody_looked_is_over_its_bound_at_once(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 9000 + b"\n")
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 8000, max_bytes=8000)
    assert await inbox.get() == LogGrown(9001)
    descriptor = outflow.reopen(9001)
    assert descriptor is not None
    os.close(descriptor)
    assert outflow.reopen(9002) is None
    outflow.close()
    assert outflow.reopen(9001) is None


async def test_a_line_without_end_does_not_hold_up_the_bound(inotify: Inotify, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (CHUNK - 5))
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0, max_bytes=100_000)
    assert await inbox.get() == LogGrown(CHUNK - 5)
    outflow.close()


async def test_a_cut_log_is_read_again_and_its_offsets_begin_anew(inotify: Inotify, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(line(1) + line(2) + line(3).rstrip())
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0)
    assert epochs(await inbox.get()) == [1, 2]
    log.write_bytes(line(4))
    async with asyncio.timeout(10):
        assert epochs(await inbox.get()) == [3]  # its end was cut off
        assert await inbox.get() == LogCut(0)
        told = await inbox.get()
    assert epochs(told) == [4]
    assert isinstance(told, Output)
    assert told.batch.offset == len(line(4))
    outflow.close()


async def test_a_log_that_is_gone_is_read_to_its_end_and_said_to_be_gone(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_bytes(line(1))
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0)
    with log.open("ab") as file:
        log.unlink()
        file.write(line(2))
    outflow.finish(0)
    assert await drained(inbox) == ([1, 2], OutputEnded(0, gone=True))
    outflow.close()


async def test_garbage_zeros_and_bare_returns_hide_no_line_and_hold_no_offset(
    inotify: Inotify, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    garbage = bytes(range(256)) * 2000
    frames = b"".join(b"Epoch %d/9999\r" % epoch for epoch in range(1, 100))
    log.write_bytes(b"\0" * CHUNK + b"\n" + line(7) + garbage + b"\n" + line(8) + frames * 300)
    inbox: Inbox = asyncio.Queue()
    outflow = Outflow(inotify, inbox, log, 0, max_bytes=1)
    outflow.finish(log.stat().st_size)
    found: list[int | None] = []
    offset = 0
    while not isinstance(happening := await inbox.get(), OutputEnded):
        if isinstance(happening, LogGrown):
            offset = happening.offset
        else:
            found += epochs(happening)
    assert found == [7, 8, *list(range(1, 100)) * 300]
    assert offset > log.stat().st_size - 20
    outflow.close()
