"""What can happen to a live attempt. All of it comes through one queue, one thing at a time."""

import asyncio
from dataclasses import dataclass

from supervisor.output.reader import Batch
from supervisor.process.attempt import Exit


@dataclass(frozen=True, slots=True)
class Output:
    batch: Batch


@dataclass(frozen=True, slots=True)
class OutputEnded:
    """The log has been read to the size in the exit record; `lost` bytes of it were not there."""

    lost: int


@dataclass(frozen=True, slots=True)
class Ended:
    exit: Exit


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A stop request; `recorded` is resolved once it is on record."""

    grace_s: float
    recorded: "asyncio.Future[None]"


@dataclass(frozen=True, slots=True)
class Due:
    """The time that was set, `at` boot-time seconds, has come."""

    at: float


Happening = Output | OutputEnded | Ended | StopAsked | Due
Inbox = asyncio.Queue[Happening]

FULL_RETRY_S = 0.05  # an inbox that is full is being emptied
