"""Follows a log that another process appends to, by byte offset, and reads pieces of one.

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
_SPACING_S = 0.02


class LogFollower:
    """Iterates over (offset, bytes) of a growing file, until `finish` has named its final size.

    `lost` counts bytes that the final size promised and the file no longer held; `truncations` counts how
    often others cut the file below what was read, after which following goes on at its new end.
    """

    def __init__(self, inotify: Inotify, path: Path, offset: int = 0) -> None:
        self._inotify = inotify
        self._path = path
        self._descriptor: int | None = None
        self._loop = asyncio.get_running_loop()
        self._finished = False
        self._final_size: int | None = None
        self._changed = self._loop.create_future()
        self.offset = offset
        self.lost = 0
        self.truncations = 0

    def finish(self, size: int | None) -> None:
        """The file will not grow beyond `size` bytes; None: beyond what it has when this is read."""
        self._finished = True
        self._final_size = size
        self._wake()

    def close(self) -> None:
        self._inotify.forget(self._wake)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        while True:
            woken = self._loop.time()
            finished = self._finished
            self._arm()
            async for chunk in self._read_to_end():
                yield chunk
            if finished:
                if self._final_size is not None:
                    self.lost = max(0, self._final_size - self.offset)
                return
            await self._changed
            pause = _SPACING_S - (self._loop.time() - woken)
            if pause > 0 and not self._finished:
                await asyncio.sleep(pause)

    def _arm(self) -> None:
        """Watch before reading, so that nothing written in between is missed."""
        if self._descriptor is None:
            with suppress(FileNotFoundError):
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._changed = self._loop.create_future()
        if self._finished:
            self._wake()
        elif self._descriptor is not None:
            self._inotify.once(self._descriptor, self._wake)

    def _wake(self) -> None:
        if not self._changed.done():
            self._changed.set_result(None)

    async def _read_to_end(self) -> AsyncIterator[tuple[int, bytes]]:
        while chunk := self._read():
            offset, self.offset = self.offset, self.offset + len(chunk)
            yield offset, chunk
            if len(chunk) < CHUNK and not self._finished:
                # The end, at the moment of reading: what came after it wakes us.
                return
            # Others of the loop come first: a log of gigabytes must not hold up the daemon.
            await asyncio.sleep(0)

    def _read(self) -> bytes:
        if self._descriptor is None:
            return b""
        limit = CHUNK
        if self._finished and self._final_size is not None:
            limit = min(limit, self._final_size - self.offset)
        chunk = os.pread(self._descriptor, limit, self.offset) if limit > 0 else b""
        if chunk:
            return chunk
        size = os.fstat(self._descriptor).st_size
        if size < self.offset and not self._finished:
            self.offset = size
            self.truncations += 1
        return b""


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
