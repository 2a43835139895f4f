"""Reads a log that another process appends to, by byte offset: as it grows, or a piece of it.

The kernel says when the file grew. Each watch fires once and is set again only when the file has been
read to its end: a child that writes a million lines is not slowed by a million notifications, and the
daemon wakes fifty times a second at the most.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from supervisor.process.inotify import Inotify

CHUNK = 256 * 1024
# Wake-ups that follow each other faster than this are put together; the first after a pause is not.
SPACING_S = 0.02


class LogReader:
    """A file that grows, read on from an offset; `finish` names its final size.

    `lost` counts bytes that the final size promised and the file no longer held; `truncations` counts how
    often others cut the file below what was read, after which reading goes on at its new end.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._final_size: int | None = None
        self.finished = False
        self.offset = offset
        self.truncations = 0

    def open(self) -> int | None:
        """The descriptor, or None where there is no file yet; raises `OSError`."""
        if self._descriptor is None:
            with suppress(FileNotFoundError):
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor

    def read(self) -> bytes:
        """The next bytes, at most `CHUNK`; empty at the end. Raises `OSError`."""
        if self._descriptor is None:
            return b""
        limit = CHUNK
        if self.finished and self._final_size is not None:
            limit = min(limit, self._final_size - self.offset)
        chunk = os.pread(self._descriptor, limit, self.offset) if limit > 0 else b""
        self.offset += len(chunk)
        if not chunk and not self.finished:
            size = os.fstat(self._descriptor).st_size
            if size < self.offset:
                self.offset = size
                self.truncations += 1
        return chunk

    def finish(self, size: int | None) -> None:
        """The file will not grow beyond `size` bytes; None: beyond what it has when this is read."""
        self.finished = True
        self._final_size = size

    @property
    def opened(self) -> bool:
        return self._descriptor is not None

    @property
    def lost(self) -> int:
        return max(0, self._final_size - self.offset) if self._final_size is not None else 0

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class LogFollower:
    """Iterates over (offset, bytes) of a growing file, until `finish` has named its final size."""

    def __init__(self, inotify: Inotify, path: Path, offset: int = 0) -> None:
        self._inotify = inotify
        self._log = LogReader(path, offset)
        self._loop = asyncio.get_running_loop()
        self._changed = self._loop.create_future()

    @property
    def offset(self) -> int:
        """How far the file has been read."""
        return self._log.offset

    @property
    def truncations(self) -> int:
        return self._log.truncations

    @property
    def lost(self) -> int:
        return self._log.lost

    def finish(self, size: int | None) -> None:
        """As `LogReader.finish`; the iteration ends there."""
        self._log.finish(size)
        self._wake()

    def look_for_file(self) -> None:
        """Look again for a file that was not there: what does not exist cannot be watched."""
        if not self._log.opened:
            self._wake()

    def close(self) -> None:
        self._inotify.forget(self._wake)
        self._log.close()

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            woken = self._loop.time()
            finished = self._log.finished
            self._arm()
            async for chunk in self._read_to_end():
                yield chunk
            if finished:
                return
            await self._changed
            pause = SPACING_S - (self._loop.time() - woken)
            if pause > 0 and not self._log.finished:
                await asyncio.sleep(pause)

    def _arm(self) -> None:
        """Watch before reading, so that nothing written in between is missed."""
        descriptor = self._log.open()
        self._changed = self._loop.create_future()
        if self._log.finished:
            self._wake()
        elif descriptor is not None:
            self._inotify.once(descriptor, self._wake)

    def _wake(self) -> None:
        if not self._changed.done():
            self._changed.set_result(None)

    async def _read_to_end(self) -> AsyncIterator[tuple[int, bytes]]:
        while chunk := self._log.read():
            yield self._log.offset - len(chunk), chunk
            if len(chunk) < CHUNK and not self._log.finished:
                # The end, at the moment of reading: what came after it wakes us.
                return
            # Others of the loop come first: a log of gigabytes must not hold up the daemon.
            await asyncio.sleep(0)


def log_size(path: Path) -> int:
    """The log's size in bytes; 0 where there is none yet."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_range(path: Path, offset: int, limit: int) -> bytes:
    """At most `limit` bytes from `offset`; empty where there are none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(descriptor, limit, offset)
    finally:
        os.close(descriptor)
