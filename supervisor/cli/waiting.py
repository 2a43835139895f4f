"""`wait`: until a run is as wanted, with an exit code that says which."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.errors import RUN_FAILED, TIMED_OUT, USAGE, CommandError
from supervisor.cli.options import AsJson, Reference, duration

if TYPE_CHECKING:
    from supervisor.client import Run
    from supervisor.client.models import WaitFor

_FAILED = frozenset({"failed", "stopped", "lost"})
_WANTED: "dict[str, WaitFor]" = {"checkpoint": "checkpoint", "running": "running", "finished": "finished"}


def wait(
    reference: Reference = None,
    *,
    for_: Annotated[str, typer.Option("--for", help="checkpoint, running or finished")] = "finished",
    timeout: Annotated[
        float | None,
        typer.Option(help="such as 90s; without it, as long as it takes", parser=duration, metavar="TIME"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wait for a run. Exits 0 reached, 1 run failed, 2 usage, 3 not found, 124 timed out."""
    from supervisor.cli.connection import connect, target

    if for_ not in _WANTED:
        raise CommandError(f"--for {for_}: choose checkpoint, running or finished", USAGE)
    with connect() as client:
        found = client.wait(target(client, reference, or_newest=True), _WANTED[for_], timeout)
    show_waited(found, as_json=as_json)


def show_waited(found: "Run", *, as_json: bool) -> None:
    """Print how a wait ended and leave with its exit code."""
    from supervisor.cli.output import show_json

    if as_json:
        show_json(found)
    else:
        verdict = f", verdict {found['verdict']['kind']}" if found["verdict"] else ""
        typer.echo(f"{found['id']}: {found['state']}{verdict}")
    if found["state"] in _FAILED:
        raise typer.Exit(RUN_FAILED)
    wait = found.get("wait")
    if wait and wait["outcome"] in {"timeout", "stopping"}:
        raise typer.Exit(TIMED_OUT)
