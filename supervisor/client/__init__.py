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

if TYPE_CHECKING:
    from supervisor.client.aio import AsyncClient
    from supervisor.client.sync import Client

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
    """The two clients are loaded where they are used: an HTTP library costs 100 ms, asyncio 20 ms more."""
    if name == "Client":
        from supervisor.client.sync import Client

        return Client
    if name == "AsyncClient":
        from supervisor.client.aio import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
