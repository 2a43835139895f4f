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
from types import TracebackType
from typing import Any, Self

from asyncinotify import Inotify, Mask, Watch

CHUNK = 256 * 1024
# Wake-ups that follow each other faster than this are put together; the first after a pause is not.
_SPACING_S = 0.02


class GrowthWatcher:
    """One inotify instance for all followers: the kernel allows a user only 128."""

    def __init__(self) -> None:
        self._inotify = Inotify()
        self._waiting: dict[Watch, set[asyncio.Future[None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read(), name="inotify")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._inotify.close()

    def arm(self, descriptor: int) -> "asyncio.Future[None]":
        """A future that resolves at the file's next change; raises `OSError` where it cannot be watched.

        The descriptor is watched, not its name: what becomes of the name does not matter.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watch = self._inotify.add_watch(f"/proc/self/fd/{descriptor}", Mask.MODIFY | Mask.ONESHOT)
        # The kernel gives all who watch one file the same watch.
        self._waiting.setdefault(watch, set()).add(future)
        return future

    def disarm(self, future: "asyncio.Future[None]") -> None:
        """Forget a future that nobody waits for any more."""
        for watch, waiting in list(self._waiting.items()):
            waiting.discard(future)
            if not waiting:
                del self._waiting[watch]
                with suppress(OSError):  # it fired meanwhile
                    self._inotify.rm_watch(watch)

    async def _read(self) -> None:
        async for event in self._inotify:
            if Mask.Q_OVERFLOW in event.mask:
                for watch in list(self._waiting):
                    self._wake(watch)
            elif isinstance(event.watch, Watch):
                self._wake(event.watch)

    def _wake(self, watch: Watch) -> None:
        for future in self._waiting.pop(watch, ()):
            if not future.done():
                future.set_result(None)


class LogFollower:
    """Iterates over (offset, bytes) of a growing file, until `finish` has named its final size.

    `lost` counts bytes that the final size promised and the file no longer held; `truncations` counts how
    often others cut the file below what was read, after which following goes on at its new end.
    """

    def __init__(self, watcher: GrowthWatcher, path: Path, offset: int = 0) -> None:
        self._watcher = watcher
        self._path = path
        self._descriptor: int | None = None
        self._final: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.offset = offset
        self.lost = 0
        self.truncations = 0

    def finish(self, size: int | None) -> None:
        """The file will not grow beyond `size` bytes; None: beyond what it has when this is read."""
        if not self._final.done():
            self._final.set_result(size)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        loop = asyncio.get_running_loop()
        while True:
            woken = loop.time()
            finished = self._final.done()
            grown = self._arm()
            try:
                async for chunk in self._read_to_end():
                    yield chunk
                if finished:
                    self._count_lost()
                    return
                waited: set[asyncio.Future[Any]] = {self._final}
                if grown is not None:
                    waited.add(grown)
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if grown is not None and not grown.done():
                    self._watcher.disarm(grown)
            if not self._final.done():
                await asyncio.sleep(max(0.0, _SPACING_S - (loop.time() - woken)))

    def _arm(self) -> "asyncio.Future[None] | None":
        """Watch before reading, so that nothing written in between is missed."""
        if self._descriptor is None:
            with suppress(FileNotFoundError):
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if self._descriptor is None or self._final.done():
            return None
        return self._watcher.arm(self._descriptor)

    async def _read_to_end(self) -> AsyncIterator[tuple[int, bytes]]:
        while (chunk := self._read()) is not None:
            offset, self.offset = self.offset, self.offset + len(chunk)
            yield offset, chunk
            # Others of the loop come first: a log of gigabytes must not hold up the daemon.
            await asyncio.sleep(0)

    def _read(self) -> bytes | None:
        if self._descriptor is None:
            return None
        limit = CHUNK
        if self._final.done() and self._final.result() is not None:
            limit = min(limit, (self._final.result() or 0) - self.offset)
        chunk = os.pread(self._descriptor, limit, self.offset) if limit > 0 else b""
        if chunk:
            return chunk
        size = os.fstat(self._descriptor).st_size
        if size < self.offset and not self._final.done():
            self.offset = size
            self.truncations += 1
        return None

    def _count_lost(self) -> None:
        size = self._final.result()
        if size is not None and size > self.offset:
            self.lost = size - self.offset


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
