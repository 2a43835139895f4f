"""A typed client of the control API: `Client` blocks, `AsyncClient` awaits; both say the same."""

from supervisor.client.aio import AsyncClient
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
