"""`logs`: a run's output, exact, as bytes."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import Reference

if TYPE_CHECKING:
    from supervisor.client.models import Stage


def logs(
    reference: Reference = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="go on through relaunches until the run's end")
    ] = False,
    lines: Annotated[int | None, typer.Option("--lines", "-n", help="the last so many lines", min=1)] = None,
    limit: Annotated[int | None, typer.Option("--bytes", help="the last so many bytes", min=1)] = None,
    attempt: Annotated[
        int | None, typer.Option(help="this attempt alone; the newest by default", min=1)
    ] = None,
    follow_up: Annotated[bool, typer.Option("--follow-up", help="the follow-up's log")] = False,
    grep: Annotated[str | None, typer.Option("--grep", help="only lines that match")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="every frame of progress bars, too")] = False,
) -> None:
    """Print the end of a run's log."""
    from supervisor.cli.connection import connect, target

    if lines is not None and limit is not None:
        raise CommandError("--lines and --bytes: choose one", USAGE)
    if attempt is not None and follow_up:
        raise CommandError("--attempt and --follow-up: choose one", USAGE)
    if follow and (grep is not None or raw):
        raise CommandError("-f shows every line as it comes: pipe it through grep instead", USAGE)
    stage: Stage = "follow_up" if follow_up else "training"
    with connect() as client:
        run = target(client, reference, or_newest=True)
        if not follow:
            found = client.log(run, attempt=attempt, stage=stage, limit=limit, tail=lines, grep=grep, raw=raw)
            _tell_of(found.trimmed)
            sys.stdout.buffer.write(found.data)
            sys.stdout.buffer.flush()
            return
        pieces = client.follow_log(
            run,
            attempt=attempt,
            stage=stage,
            limit=limit,
            tail=lines,
            through=attempt is None and not follow_up,
        )
        for piece in pieces:
            _tell_of(piece.trimmed)
            sys.stdout.buffer.write(piece.text.encode())
            sys.stdout.buffer.flush()


def _tell_of(trimmed: int) -> None:
    if trimmed:
        typer.echo(f"traind: {trimmed} bytes of this log are gone, to keep within log.max_bytes", err=True)
