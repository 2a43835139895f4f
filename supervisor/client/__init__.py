"""A typed client of the control API: `Client` blocks, `AsyncClient` awaits; both say the same."""

from typing import TYPE_CHECKING

from supervisor.client.discovery import Location, discover
from supervisor.client.errors import ApiError, ClientError, DaemonUnreachable
from supervisor.client.following import LogPiece
from supervisor.client.models import (
    Attempt,
    BriefRun,
    Device,
    Event,
    Finding,
    Problem,
    Report,
    Review,
    Run,
    Sample,
    Submission,
    Verdict,
)
from supervisor.client.requests import LogChunk
from supervisor.client.sync import Client

if TYPE_CHECKING:
    from supervisor.client.aio import AsyncClient

__all__ = [
    "ApiError",
    "AsyncClient",
    "Attempt",
    "BriefRun",
    "Client",
    "ClientError",
    "DaemonUnreachable",
    "Device",
    "Event",
    "Finding",
    "Location",
    "LogChunk",
    "LogPiece",
    "Problem",
    "Report",
    "Review",
    "Run",
    "Sample",
    "Submission",
    "Verdict",
    "discover",
]


def __getattr__(name: str) -> object:
    """`AsyncClient` is loaded where it is used: asyncio costs a command that blocks 20 ms."""
    if name != "AsyncClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from supervisor.client.aio import AsyncClient

    return AsyncClient
