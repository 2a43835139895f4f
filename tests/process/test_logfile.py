"""Following a growing file: every byte once, woken by the kernel, ended by the recorded size."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from supervisor.process.inotify import Inotify
from supervisor.process.logfile import CHUNK, LogFollower, log_size, read_range


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
