"""What can happen to a live attempt. All of it comes through one queue, one thing at a time."""

import asyncio
from dataclasses import dataclass

from supervisor.output.reader import Batch
from supervisor.process.attempt import Exit


@dataclass(frozen=True, slots=True)
class Output:
    batch: Batch


@dataclass(frozen=True, slots=True)
class LogGrown:
    """What the log takes on disk is over its bound; all of it before `offset` has been told of."""

    offset: int


@dataclass(frozen=True, slots=True)
class LogCut:
    """Others cut the log; it is read again from `offset`, its first byte now."""

    offset: int


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """The log has been read to the size in the exit record; `lost` bytes of it were not there.

    `gone`: by then the log's name led to another file, or to none.
    """

    lost: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    exit: Exit


@dataclass(frozen=True, slots=True)
class Asked:
    """A caller's request; `recorded` is resolved once it is on record, or with why it is not.

    `if_attempt` is the attempt that it is for, None for whichever is current.
    """

    grace_s: float
    recorded: "asyncio.Future[None]"
    if_attempt: int | None = None

    @property
    def answered(self) -> bool:
        """Whether the caller has its answer. One that left without is served all the same."""
        return self.recorded.done() and not self.recorded.cancelled()

    def accept(self) -> None:
        if not self.recorded.done():
            self.recorded.set_result(None)

    def refuse(self, error: Exception) -> None:
        if not self.recorded.done():
            self.recorded.set_exception(error)


@dataclass(frozen=True, slots=True)
class StopAsked(Asked):
    """Stop the run for good."""


@dataclass(frozen=True, slots=True)
class RelaunchAsked(Asked):
    """A new attempt: with `batch_size`, or with the script as it is. `why` is the caller's own word."""

    batch_size: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """The time that was set, `at` boot-time seconds, has come."""

    at: float


Happening = Output | LogGrown | LogCut | OutputEnded | Ended | StopAsked | RelaunchAsked | Due
Inbox = asyncio.Queue[Happening]

FULL_RETRY_S = 0.05  # an inbox that is full is being emptied
