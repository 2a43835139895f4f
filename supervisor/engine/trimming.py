"""Keeps an attempt's log within its bound on disk: what is told of and on record is punched out of its head.

A daemon that starts again reads on from the recorded offset, so nothing above it ever goes. The mark below
which bytes are gone is recorded before they go, and readers are told of it from then on.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from supervisor.domain.events import Warned
from supervisor.engine.journal import Journal
from supervisor.process.holes import block_size, can_punch, punch_head
from supervisor.process.logfile import COMPARED
from supervisor.store.faults import StoreError

log = structlog.get_logger(__name__)


def spare(max_bytes: int) -> int:
    """How far below its bound a log is brought, so that it is seldom done. Bytes."""
    return max_bytes // 4


def mark_for(offset: int, max_bytes: int, block: int) -> int:
    """Up to where a log that was read to `offset` is punched out, in whole blocks.

    The bytes that a reader compares before it reads on stay.
    """
    wanted = min(offset - (max_bytes - spare(max_bytes)), offset - COMPARED)
    return max(0, wanted // block * block)


class Trimming:
    """Trims the log of the journal's newest attempt. `reopen` gives it open for writing, or None.

    `reopen` takes the offset that the log was read to: a file that does not reach so far any more was cut by
    others meanwhile, and holds something else.
    """

    def __init__(
        self, journal: Journal, directory: Path, max_bytes: int, reopen: Callable[[int], int | None]
    ) -> None:
        self._journal = journal
        self._directory = directory
        self._max_bytes = max_bytes
        self._reopen = reopen
        self._supported: bool | None = None
        self._said = False

    async def resume(self) -> None:
        """Make good what a daemon had recorded and may not have done."""
        attempt = self._journal.attempt
        if attempt is None or not attempt.log_trimmed:
            return
        try:
            await self._punch(attempt.log_offset, attempt.log_trimmed)
        except OSError as error:
            await self._say_unbounded(error.strerror or str(error))

    async def trim(self, offset: int, *, out_of_memory: bool) -> None:
        """Record that the log was read to `offset`, and how far it is trimmed; then trim it.

        `out_of_memory` is what its lines told up to there. What cannot be done harms nothing: it is said
        once, and the log stays whole.
        """
        try:
            if self._supported is None:
                self._supported = await asyncio.to_thread(can_punch, self._directory)
            if not self._supported:
                await self._say_unbounded(os.strerror(errno.EOPNOTSUPP))
                return
            mark = mark_for(offset, self._max_bytes, self._block(offset))
            attempt = self._journal.attempt
            if attempt is None or mark <= attempt.log_trimmed:
                return
            trimmed = replace(attempt, log_offset=offset, log_trimmed=mark, out_of_memory=out_of_memory)
            await self._journal.record(attempt=trimmed)
            await self._punch(offset, mark)
        except StoreError as error:
            log.warning("a log is not trimmed: it cannot be recorded", error=str(error))
        except OSError as error:
            await self._say_unbounded(error.strerror or str(error))

    def _block(self, offset: int) -> int:
        """The size of a block; so large that nothing is trimmed where there is no file to trim."""
        descriptor = self._reopen(offset)
        if descriptor is None:
            return offset + 1
        try:
            return block_size(descriptor)
        finally:
            os.close(descriptor)

    async def _punch(self, offset: int, mark: int) -> None:
        # Opened here and closed in the thread: a number that others reuse must never be punched.
        descriptor = self._reopen(offset)
        if descriptor is not None:
            await asyncio.to_thread(_punch_and_close, descriptor, offset, mark)

    async def _say_unbounded(self, why: str) -> None:
        if self._said:
            return
        self._said = True
        text = (
            f"the log is not kept within {self._max_bytes} bytes: {why}; put the state directory on a file "
            "system that can punch holes (ext4, xfs, btrfs, tmpfs), or have the script print less"
        )
        try:
            await self._journal.record(Warned("log_not_bounded", text))
        except StoreError as error:
            log.warning("a log is not bounded", why=why, error=str(error))


def reopen_at(path: Path, offset: int) -> int | None:
    """A descriptor for writing, or None where the file does not reach to `offset`. Raises `OSError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if os.fstat(descriptor).st_size < offset:
        os.close(descriptor)
        return None
    return descriptor


def _punch_and_close(descriptor: int, offset: int, mark: int) -> None:
    try:
        if os.fstat(descriptor).st_size >= offset:
            punch_head(descriptor, mark)
    finally:
        os.close(descriptor)
