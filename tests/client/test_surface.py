"""What the package offers: the intended names, in both clients alike, and light to import."""

import inspect
import subprocess
import sys

import supervisor.client as package
from supervisor.client import AsyncClient, Client

NAMES = [
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


def test_the_public_names_are_the_intended_ones() -> None:
    assert package.__all__ == NAMES
    assert all(hasattr(package, name) for name in NAMES)


def test_both_clients_say_the_same() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(call).parameters) for name, call in found if name[0] != "_"}

    assert calls(Client) == calls(AsyncClient)


def test_the_client_needs_nothing_of_the_daemon() -> None:
    code = "import sys, supervisor.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.startswith("supervisor.") and ".client" not in name}
    assert ours == {"supervisor.places"}
    assert not loaded & {"pydantic", "fastapi", "rich", "typer"}
