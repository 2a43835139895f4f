"""Reads a log that another process appends to, by byte offset: as it grows, or a piece of it.

The kernel says when the file grew. Each watch fires once and is set again only when the file has been
read to its end: a child that writes a million lines is not slowed by a million notifications, and the
daemon wakes fifty times a second at the most.

What others do to the file loses nothing that was there when it was read. Renamed or removed, it is read on
through the open descriptor, which is found again at the process that writes. Cut, it is read again from its
start: what was read before comes twice rather than something new never.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from supervisor.process.holes import first_data
from supervisor.process.inotify import Inotify

CHUNK = 256 * 1024
# Wake-ups that follow each other faster than this are put together; the first after a pause is not.
SPACING_S = 0.02
# What was read last, compared before reading on: a file cut and grown again beyond it holds other bytes.
COMPARED = 64


def nothing_trimmed() -> int:
    """The mark of a log whose head is not punched out."""
    return 0


class LogReader:
    """A file that grows, read on from an offset; `finish` names its final size.

    `writer` is the process whose standard output it is. `trimmed` says below which offset the log has been
    punched out by now: nothing there is read, the offset jumps. `lost` counts bytes that the final size
    promised and the file no longer held; `truncations` counts how often others cut the file below what was
    read, after which reading begins anew at its first byte.
    """

    def __init__(
        self,
        path: Path,
        offset: int = 0,
        *,
        writer: int | None = None,
        trimmed: Callable[[], int] = nothing_trimmed,
    ) -> None:
        self._path = path
        self._writer = writer
        self._trimmed = trimmed
        self._descriptor: int | None = None
        self._final_size: int | None = None
        self._known: bytes | None = None  # the bytes before `offset`, once they have been seen
        self.finished = False
        self.offset = offset
        self.truncations = 0

    def open(self) -> int | None:
        """The descriptor, or None where there is no file yet; raises `OSError`."""
        if self._descriptor is None:
            with suppress(FileNotFoundError):
                found = find_log(self._path, self._writer)
                self._descriptor = os.open(found, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor

    def read(self) -> bytes:
        """The next bytes, at most `CHUNK`; empty at the end. Raises `OSError`."""
        if self._descriptor is None:
            return b""
        chunk = self._read_on(self._descriptor)
        if chunk is None:
            self.truncations += 1
            self.offset, self._known = first_data(self._descriptor), None
            chunk = self._read_on(self._descriptor) or b""
        self.offset += len(chunk)
        return chunk

    def finish(self, size: int | None) -> None:
        """The file will not grow beyond `size` bytes; None: beyond what it has when this is read.

        The size is that of the file under the log's name. Where that is another file, or none, it says
        nothing of what is read here, which is then read to its end.
        """
        self.finished = True
        self._final_size = size if self._descriptor is None or self.named else None

    @property
    def named(self) -> bool:
        """Whether the file under the log's name is the one that is read."""
        if self._descriptor is None:
            return False
        try:
            there = self._path.stat()
        except OSError:
            return False
        here = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

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

    def _read_on(self, descriptor: int) -> bytes | None:
        """The bytes from `offset` on; None where those before it are not what they were."""
        width = min(self.offset, COMPARED)
        start = self.offset - width
        data = os.pread(descriptor, width + self._most(), start)
        # After the read: what was punched out meanwhile may have been read as zeros.
        trimmed = self._trimmed()
        if trimmed > self.offset:
            self.offset, self._known = trimmed, None
            return self._read_on(descriptor)
        if len(data) < width:
            return None
        hidden = max(0, trimmed - start)
        if self._known is not None and data[hidden:width] != self._known[hidden:]:
            return None
        self._known = data[-COMPARED:]
        return data[width:]

    def _most(self) -> int:
        if not self.finished or self._final_size is None:
            return CHUNK
        return max(0, min(CHUNK, self._final_size - self.offset))


class LogFollower:
    """Iterates over (offset, bytes) of a growing file, until `finish` has named its final size."""

    def __init__(
        self,
        inotify: Inotify,
        path: Path,
        offset: int = 0,
        *,
        writer: int | None = None,
        trimmed: Callable[[], int] = nothing_trimmed,
    ) -> None:
        self._inotify = inotify
        self._log = LogReader(path, offset, writer=writer, trimmed=trimmed)
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


def find_log(path: Path, writer: int | None) -> Path:
    """Where the log can be opened: what the process `writer` writes to, as long as it lives, else `path`.

    The two differ once others have removed or renamed the log. Only a file that was made in the log's
    directory is taken for it: a script may lead its output elsewhere.
    """
    if writer is None:
        return path
    link = Path(f"/proc/{writer}/fd/1")
    try:
        target = link.readlink()
        regular = stat.S_ISREG(link.stat().st_mode)
    except OSError:
        return path
    return link if regular and target.parent == path.parent.resolve() else path


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
