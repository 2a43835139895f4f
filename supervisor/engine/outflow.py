"""An attempt's log, read as it grows; what its lines tell goes into the inbox.

Driven by the kernel's word and not by a task of its own: with fifty runs that print a line a second each
the turns of an event loop are what the daemon's time is spent on.
"""

import asyncio
from collections import deque
from pathlib import Path

import structlog

from supervisor.engine.inbox import FULL_RETRY_S, Happening, Inbox, LogCut, LogGrown, Output, OutputEnded
from supervisor.engine.trimming import reopen_at, spare
from supervisor.output.reader import OutputReader
from supervisor.process.inotify import Inotify
from supervisor.process.logfile import CHUNK, SPACING_S, LogReader

log = structlog.get_logger(__name__)

_TROUBLE_RETRY_S = 1.0  # a log that cannot be watched or read is looked at so often


class Outflow:
    """Reads the log from `offset` until `finish` has named its final size, then says `OutputEnded`.

    `writer` is the process whose standard output it is. Whenever more than `max_bytes` behind `trimmed` have
    been read it says `LogGrown`; 0 bounds nothing.
    """

    def __init__(
        self,
        inotify: Inotify,
        inbox: Inbox,
        path: Path,
        offset: int,
        *,
        writer: int | None = None,
        trimmed: int = 0,
        max_bytes: int = 0,
    ) -> None:
        self._inotify = inotify
        self._inbox = inbox
        self._path = path
        self._log = LogReader(path, offset, writer=writer)
        self._truncations = 0
        self._max_bytes = max_bytes
        self._trim_beyond = trimmed + max_bytes
        self._reader = OutputReader(offset)
        self._loop = asyncio.get_running_loop()
        self._next_turn = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._told: deque[Happening] = deque()
        self._watched = False
        self._in_trouble = False
        self._ended = False
        self._closed = False
        self._turn()

    def finish(self, size: int | None) -> None:
        """The log will not grow beyond `size` bytes; None: beyond what it has when this is read."""
        self._log.finish(size)
        self._turn_in(0.0)

    def reopen(self, offset: int) -> int | None:
        """The very file that is read, open for writing; None where it does not reach to `offset`, or is none.

        Raises `OSError`.
        """
        descriptor = None if self._closed else self._log.open()
        if descriptor is None or self._log.offset < offset:
            return None
        return reopen_at(Path(f"/proc/self/fd/{descriptor}"), offset)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._inotify.forget(self._changed)
        self._log.close()

    def _changed(self) -> None:
        self._watched = False
        if self._timer is None:
            wait = self._next_turn - self._loop.time()
            if wait > 0:
                self._turn_in(wait)
            else:
                self._turn()

    def _turn_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = self._loop.call_later(seconds, self._turn)

    def _turn(self) -> None:
        self._timer = None
        if not self._hand_over():
            self._turn_in(FULL_RETRY_S)
            return
        if self._ended:
            return
        self._next_turn = self._loop.time() + SPACING_S
        try:
            chunk = self._read()
        except OSError as error:
            # Training goes on, and so does the look for its output.
            if not self._in_trouble:
                log.warning("a log cannot be followed; trying again", log=str(self._path), error=str(error))
            self._in_trouble = True
            self._turn_in(_TROUBLE_RETRY_S)
            return
        self._in_trouble = False
        if self._log.truncations != self._truncations:
            self._begin_anew(self._log.offset - len(chunk))
        if chunk:
            self._tell(chunk)
        if self._log.finished and not chunk:
            self._end()
        elif self._log.finished or len(chunk) == CHUNK:
            # Others of the loop come first: a log of gigabytes must not hold up the daemon.
            self._turn_in(0.0)
        if not self._hand_over():
            self._turn_in(FULL_RETRY_S)

    def _read(self) -> bytes:
        """Watch before reading, so that nothing written in between is missed."""
        descriptor = self._log.open()
        if descriptor is not None and not self._watched and not self._log.finished:
            self._inotify.once(descriptor, self._changed)
            self._watched = True
        return self._log.read()

    def _tell(self, chunk: bytes) -> None:
        batch = self._reader.feed(chunk)
        if batch.records:
            self._told.append(Output(batch))
        if self._max_bytes and batch.offset > self._trim_beyond:
            self._trim_beyond = batch.offset + spare(self._max_bytes)
            self._told.append(LogGrown(batch.offset))

    def _begin_anew(self, offset: int) -> None:
        """The log was cut: offsets count from its first byte again, the unfinished line has no end."""
        self._truncations = self._log.truncations
        self._tell_rest()
        self._told.append(LogCut(offset))
        self._reader = OutputReader(offset)
        self._trim_beyond = offset + self._max_bytes

    def _tell_rest(self) -> None:
        rest = self._reader.finish()
        if rest.records:
            self._told.append(Output(rest))

    def _end(self) -> None:
        self._ended = True
        self._tell_rest()
        gone = self._log.opened and not self._log.named
        self._told.append(OutputEnded(self._log.lost, gone))

    def _hand_over(self) -> bool:
        """Put into the inbox what it has room for; False where something is left over."""
        while self._told:
            try:
                self._inbox.put_nowait(self._told[0])
            except asyncio.QueueFull:
                return False
            self._told.popleft()
        return True
