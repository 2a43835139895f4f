"""`stop`, `relaunch`, `restore`: telling a run what to do."""

from typing import Annotated

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import AsJson, Grace, IfAttempt, Reference


def stop(
    reference: Reference = None,
    *,
    grace: Grace = None,
    now: Annotated[bool, typer.Option("--now", help="SIGKILL at once")] = False,
    if_attempt: IfAttempt = None,
    as_json: AsJson = False,
) -> None:
    """Stop a run gracefully; returns at once, `traind wait` waits for its end."""
    from supervisor.cli.connection import connect, target
    from supervisor.cli.output import show_json

    if now and grace is not None:
        raise CommandError("--now and --grace: choose one", USAGE)
    with connect() as client:
        run = target(client, reference)
        found = client.stop(run, grace_s=0.0 if now else grace, if_attempt=if_attempt)
    if as_json:
        show_json(found)
        return
    typer.echo(f"{found['id']}: {found['state']}")


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
