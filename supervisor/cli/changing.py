"""`stop`, `relaunch`, `restore`: telling a run what to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import AsJson, Grace, IfAttempt, Reference

if TYPE_CHECKING:
    from supervisor.client import Client, Run


def stop(
    reference: Reference = None,
    *,
    grace: Grace = None,
    every: Annotated[bool, typer.Option("--all", help="every live run, queued ones too")] = False,
    and_wait: Annotated[bool, typer.Option("--wait", help="return once they have ended")] = False,
    now: Annotated[bool, typer.Option("--now", help="SIGKILL at once")] = False,
    if_attempt: IfAttempt = None,
    as_json: AsJson = False,
) -> None:
    """Stop a run gracefully, with --all every live one. Returns at once, with --wait at the end."""
    from supervisor.cli.connection import connect, target
    from supervisor.cli.output import show_json

    if now and grace is not None:
        raise CommandError("--now and --grace: choose one", USAGE)
    if every and (reference is not None or if_attempt is not None):
        raise CommandError("--all goes with neither a run nor --if-attempt", USAGE)
    grace_s = 0.0 if now else grace
    with connect() as client:
        if every:
            found = _stop_all(client, grace_s)
        else:
            found = [client.stop(target(client, reference), grace_s=grace_s, if_attempt=if_attempt)]
        if and_wait:
            found = [client.wait(run["id"]) for run in found]
    if as_json:
        show_json(found if every else found[0])
        return
    if not found:
        typer.echo("no run is live")
    for run in found:
        typer.echo(f"{run['id']}: {run['state']}")


def _stop_all(client: "Client", grace_s: float | None) -> "list[Run]":
    """Ask each live run to stop; those that wait for a device first, or they would be given one meanwhile."""
    from supervisor.cli.connection import LIVE

    live = sorted(client.iter_runs(state=LIVE), key=lambda run: run["state"] != "queued")
    return [client.stop(run["id"], grace_s=grace_s) for run in live]


def relaunch(
    reference: Reference = None,
    *,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="the new size", min=1)] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="kept with the attempt")] = None,
    if_attempt: IfAttempt = None,
    grace: Grace = None,
    as_json: AsJson = False,
) -> None:
    """End the current attempt and launch another now."""
    from supervisor.cli.connection import connect, target
    from supervisor.cli.output import show_json

    with connect() as client:
        found = client.relaunch(
            target(client, reference),
            batch_size=batch_size,
            reason=reason,
            if_attempt=if_attempt,
            grace_s=grace,
        )
    if as_json:
        show_json(found)
        return
    typer.echo(f"{found['id']}: {found['state']} {found['phase'] or ''}".rstrip())


def restore(
    reference: Reference = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="even where others changed the script")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the script back as it was submitted, once its run has ended."""
    from supervisor.cli.connection import connect, target
    from supervisor.cli.output import show_json

    with connect() as client:
        found = client.restore(target(client, reference, or_newest=True), force=force)
    if as_json:
        show_json(found)
        return
    said = "restored" if found["restored"] else "left as it is"
    typer.echo(f"{found['script']}: {said}: {found['why']}")
