"""`ps`, `status`, `devices`, `report`: looking at what there is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import AsJson, Reference

if TYPE_CHECKING:
    from supervisor.client import Device, Run


def ps(
    *,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="ended runs too")] = False,
    limit: Annotated[int, typer.Option("--limit", help="at most so many", min=1)] = 200,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    from itertools import islice

    from supervisor.cli.connection import LIVE, connect
    from supervisor.cli.output import show_json

    with connect() as client:
        runs = list(islice(client.iter_runs(state=() if show_all else LIVE, page=min(limit, 200)), limit))
    if as_json:
        show_json(runs)
        return
    typer.echo(_runs_table(runs))


def status(reference: Reference = None, *, as_json: AsJson = False) -> None:
    """Show one run and its attempts; without a run, all at a look."""
    from supervisor.cli.connection import connect, target
    from supervisor.cli.output import show_json

    with connect() as client:
        if reference is None and not as_json:
            typer.echo(client.status(), nl=False)
            return
        found = client.get(target(client, reference, or_newest=True))
        attempts = client.attempts(found["id"])
    if as_json:
        show_json({**found, "attempts": attempts})
        return
    from supervisor.cli.summary import summarise

    typer.echo(f"{found['script']}: {found['state']} {found['phase'] or ''}".rstrip())
    if found["verdict"]:
        typer.echo(f"verdict {found['verdict']['kind']}: {found['verdict']['why']}")
    typer.echo(summarise(found, attempts))
    if found["detail"]:
        typer.echo(f"detail: {found['detail']}")
    typer.echo(f"next: {found['next']['do']}")


def devices(*, as_json: AsJson = False) -> None:
    """List the devices: their memory, how busy they are, who holds them."""
    from supervisor.cli.connection import connect
    from supervisor.cli.output import show_json

    with connect() as client:
        found = client.devices()
    if as_json:
        show_json(found)
        return
    typer.echo(_devices_table(found))


def report(
    reference: Reference = None,
    *,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="as Markdown, the default")] = False,
    html: Annotated[bool, typer.Option("--html", help="as a page with plots")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="write it to this file")] = None,
) -> None:
    """Print what became of a run, before against after, with advice."""
    import json

    from supervisor.cli.connection import connect, target

    if as_json + markdown + html > 1:
        raise CommandError("--json, --markdown and --html: choose one", USAGE)
    with connect() as client:
        run = target(client, reference, or_newest=True)
        if as_json:
            text = json.dumps(client.report(run), ensure_ascii=False)
        else:
            text = client.report(run, "html" if html else "markdown")
    text = text.rstrip("\n") + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}") from error


def _runs_table(runs: "list[Run]") -> str:
    from supervisor.cli.output import cut, table
    from supervisor.cli.words import duration, percent, progress

    head = ("ID", "NAME", "STATE", "BATCH", "MEM", "ETA", "PROGRESS")
    rows = [
        (
            run["id"],
            cut(run["name"] or Path(run["script"]).name, 14),
            run["state"],
            str(run["batch_size"] or "-"),
            percent(run["memory"]["fraction"] if run["memory"] else None),
            duration(run["eta_s"]),
            cut(progress(run["progress"]), 20),
        )
        for run in runs
    ]
    return table(head, rows, right=(3, 4, 5))


def _devices_table(found: "list[Device]") -> str:
    from supervisor.cli.output import cut, table
    from supervisor.cli.words import percent, size

    head = ("ID", "NAME", "USED", "TOTAL", "UTIL", "HELD BY")
    rows = [
        (
            cut(device["id"], 12),
            cut(device["name"] or device["kind"], 20),
            size(device["used"]),
            size(device["total"]),
            percent(device["utilization"]),
            cut(", ".join(device["holders"]) or "-", 14),
        )
        for device in found
    ]
    return table(head, rows, right=(2, 3, 4))
