"""Following a growing file: every byte once, woken by the kernel, ended by the recorded size."""

import asyncio
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.process.holes import punch_head
from supervisor.process.inotify import Inotify
from supervisor.process.logfile import CHUNK, LogFollower, LogReader, find_log, log_size, read_range


@pytest.fixture
async def inotify() -> AsyncIterator[Inotify]:
    instance = Inotify()
    yield instance
    instance.close()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "log"
    file.touch()
    yield file  # noqa: PT022 - nothing to tear down, but the type says iterator


async def collect(follower: LogFollower) -> bytes:
    parts: list[bytes] = []
    position = follower.offset
    async for offset, chunk in follower:
        assert offset == position or follower.truncations
        position = offset + len(chunk)
        parts.append(chunk)
    follower.close()
    return b"".join(parts)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


async def test_lines_come_as_they_are_written(inotify: Inotify, path: Path) -> None:
    follower = LogFollower(inotify, path)
    chunks = aiter(follower)
    for number in range(3):
        append(path, b"line %d\n" % number)
        async with asyncio.timeout(10):
            assert await anext(chunks) == (number * 7, b"line %d\n" % number)
    follower.close()


async def test_following_ends_at_the_final_size_and_not_at_the_files_end(
    inotify: Inotify, path: Path
) -> None:
    append(path, b"0123456789")
    follower = LogFollower(inotify, path, offset=2)
    follower.finish(8)
    assert await collect(follower) == b"234567"


async def test_final_size_may_come_long_after_the_last_byte(inotify: Inotify, path: Path) -> None:
    append(path, b"x" * (3 * CHUNK + 5))
    follower = LogFollower(inotify, path)
    reading = asyncio.create_task(collect(follower))
    while follower.offset < 3 * CHUNK + 5:
        await asyncio.sleep(0)
    follower.finish(3 * CHUNK + 5)
    assert len(await reading) == 3 * CHUNK + 5
    assert follower.lost == 0


async def test_bytes_that_the_record_promised_and_the_file_lost_are_counted(
    inotify: Inotify, path: Path
) -> None:
    append(path, b"abc")
    follower = LogFollower(inotify, path)
    follower.finish(10)
    assert await collect(follower) == b"abc"
    assert follower.lost == 7


async def test_unknown_final_size_means_what_is_there(inotify: Inotify, path: Path) -> None:
    append(path, b"abc")
    follower = LogFollower(inotify, path)
    follower.finish(None)
    assert await collect(follower) == b"abc"


async def test_two_followers_of_one_file_both_see_it(inotify: Inotify, path: Path) -> None:
    followers = [LogFollower(inotify, path), LogFollower(inotify, path)]
    tasks = [asyncio.create_task(collect(follower)) for follower in followers]
    for number in range(20):
        append(path, b"%03d\n" % number)
        await asyncio.sleep(0.002)
    for follower in followers:
        follower.finish(80)
    assert await asyncio.gather(*tasks) == [path.read_bytes()] * 2


async def test_truncation_by_others_is_survived_and_counted(inotify: Inotify, path: Path) -> None:
    append(path, b"0123456789")
    follower = LogFollower(inotify, path)
    reading = asyncio.create_task(collect(follower))
    while follower.offset < 10:
        await asyncio.sleep(0)
    path.write_bytes(b"")
    while not follower.truncations:
        await asyncio.sleep(0.001)
    append(path, b"new")
    while follower.offset < 3:
        await asyncio.sleep(0.001)
    follower.finish(3)
    assert await reading == b"0123456789new"


async def test_deleted_file_is_followed_to_its_end(inotify: Inotify, path: Path) -> None:
    append(path, b"abc")
    follower = LogFollower(inotify, path)
    chunks = aiter(follower)
    await anext(chunks)
    with path.open("ab") as file:
        path.unlink()
        file.write(b"def")
        file.flush()
        assert await anext(chunks) == (3, b"def")
    follower.close()


async def test_file_that_never_comes_ends_with_nothing(inotify: Inotify, tmp_path: Path) -> None:
    follower = LogFollower(inotify, tmp_path / "none")
    follower.finish(None)
    assert await collect(follower) == b""


async def test_cancelled_follower_leaves_no_watch_behind(inotify: Inotify, path: Path) -> None:
    follower = LogFollower(inotify, path)
    reading = asyncio.create_task(collect(follower))
    await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    follower.close()
    assert inotify._waiting == {}


async def test_closed_descriptor_cannot_be_watched(inotify: Inotify) -> None:
    with pytest.raises(OSError, match="cannot be watched"):
        inotify.once(9999, lambda: None)


def test_ranges_are_bounded_and_a_missing_file_is_empty(path: Path) -> None:
    append(path, b"0123456789")
    assert (read_range(path, 2, 3), read_range(path, 50, 3), log_size(path)) == (b"234", b"", 10)
    assert (read_range(path.with_name("no"), 0, 3), log_size(path.with_name("no"))) == (b"", 0)


def test_the_log_is_found_at_its_writer_whatever_became_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as log, subprocess.Popen(["sleep", "60"], stdout=log) as writer:
        link = Path(f"/proc/{writer.pid}/fd/1")
        assert find_log(path, None) == path
        assert find_log(path, writer.pid).samefile(path)
        path.rename(tmp_path / "log.1")
        path.touch()
        assert find_log(path, writer.pid) == link
        (tmp_path / "log.1").unlink()
        assert find_log(path, writer.pid) == link
        assert find_log(tmp_path / "elsewhere" / "log", writer.pid) == tmp_path / "elsewhere" / "log"
        writer.kill()
    assert find_log(path, writer.pid) == path


def test_output_that_a_script_leads_elsewhere_is_not_taken_for_its_log(tmp_path: Path) -> None:
    path = tmp_path / "attempt" / "log"
    with subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE) as writer:
        assert find_log(path, writer.pid) == path
        writer.kill()


async def test_a_removed_log_is_read_to_its_end_whatever_size_its_name_has(
    inotify: Inotify, path: Path
) -> None:
    append(path, b"abc")
    follower = LogFollower(inotify, path)
    chunks = aiter(follower)
    await anext(chunks)
    with path.open("ab") as file:
        path.unlink()
        file.write(b"def")
    follower.finish(0)
    assert await anext(chunks) == (3, b"def")
    assert await collect(follower) == b""
    assert follower.lost == 0


async def test_a_log_cut_and_written_again_before_anyone_looked_is_read_from_its_start(
    inotify: Inotify, path: Path
) -> None:
    append(path, b"0123456789")
    follower = LogFollower(inotify, path)
    chunks = aiter(follower)
    assert await anext(chunks) == (0, b"0123456789")
    path.write_bytes(b"new")
    async with asyncio.timeout(10):
        assert await anext(chunks) == (0, b"new")
    assert follower.truncations == 1
    follower.close()


def test_a_log_that_grew_beyond_the_cut_is_known_by_its_last_bytes(path: Path) -> None:
    append(path, b"old " * 100)
    reader = LogReader(path)
    reader.open()
    assert len(reader.read()) == 400
    path.write_bytes(b"new " * 200)
    assert reader.read() == b"new " * 200
    assert reader.truncations == 1
    reader.close()


def test_a_cut_between_the_exit_record_and_the_last_look_loses_no_new_byte(path: Path) -> None:
    append(path, b"0123456789")
    reader = LogReader(path)
    reader.open()
    reader.read()
    path.write_bytes(b"new")
    reader.finish(3)
    assert reader.read() == b"new"
    assert (reader.read(), reader.lost) == (b"", 0)
    reader.close()


def test_what_was_punched_out_is_never_read(path: Path) -> None:
    block = 4096
    append(path, b"a" * block + b"b" * block + b"c" * block)
    mark = 0
    reader = LogReader(path, 10, trimmed=lambda: mark)
    descriptor = reader.open()
    assert descriptor is not None
    mark = 2 * block
    with path.open("rb+") as file:
        punch_head(file.fileno(), mark)
    assert reader.read() == b"c" * block
    assert reader.offset == 3 * block
    assert reader.truncations == 0
    append(path, b"d")
    mark = 3 * block - 4
    assert reader.read() == b"d"
    assert reader.truncations == 0
    reader.close()


def test_a_hole_up_to_just_before_the_offset_is_not_taken_for_a_cut(path: Path) -> None:
    block = 4096
    append(path, b"a" * block + b"b" * 10)
    mark = 0
    reader = LogReader(path, block + 10, trimmed=lambda: mark)
    reader.open()
    assert reader.read() == b""
    mark = block
    with path.open("rb+") as file:
        punch_head(file.fileno(), mark)
    append(path, b"c")
    assert reader.read() == b"c"
    assert reader.truncations == 0
    reader.close()


def test_a_log_that_was_cut_while_nobody_read_it_is_read_from_its_start(path: Path) -> None:
    append(path, b"new")
    reader = LogReader(path, 10)
    reader.open()
    assert reader.read() == b"new"
    assert reader.truncations == 1
    reader.close()


def test_after_a_cut_a_punched_head_is_not_read_again(path: Path) -> None:
    block = 4096
    append(path, b"a" * block + b"b" * block)
    reader = LogReader(path)
    reader.open()
    reader.read()
    with path.open("rb+") as file:
        punch_head(file.fileno(), block)
        file.truncate(block + 10)
    assert reader.read() == b"b" * 10
    assert reader.offset == block + 10
    reader.close()


def test_zeros_and_odd_bytes_are_read_as_they_are(path: Path) -> None:
    data = b"\0" * 5000 + bytes(range(256)) * 3 + b"\r" * 70
    with path.open("wb") as file:
        file.truncate(8192)
    append(path, data)
    reader = LogReader(path)
    reader.open()
    assert reader.read() + reader.read() == b"\0" * 8192 + data
    assert reader.truncations == 0
    reader.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(min_size=1, max_size=200)),
        st.tuples(st.just("cut"), st.integers(0, 300)),
        st.tuples(st.just("read"), st.none()),
    ),
    max_size=30,
)


@given(steps=STEPS)
def test_every_byte_there_at_a_read_comes_and_none_twice_without_a_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    path.touch()
    reader = LogReader(path)
    reader.open()
    told, cut, numbers = b"", False, itertools.count()
    for step, value in [*steps, ("read", None)]:
        if step == "append":
            # Numbered, so that no two pieces of the log are alike.
            append(path, b"<%d>" % next(numbers) + value)
        elif step == "cut":
            size = path.stat().st_size
            os.truncate(path, min(size, value))
            cut = cut or value < size
        else:
            truncations = reader.truncations
            chunk = b"".join(iter(reader.read, b""))
            assert cut or reader.truncations == truncations
            told = told + chunk if reader.truncations == truncations else chunk
            assert told == path.read_bytes()
            cut = False
    reader.close()
