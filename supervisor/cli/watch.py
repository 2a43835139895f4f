"""`watch`: runs as they go, live on a terminal, a line an event into a pipe; ends when they do."""

import sys
from typing import TYPE_CHECKING

import typer

from supervisor.cli.options import AsJson, Reference

if TYPE_CHECKING:
    from rich.live import Live

    from supervisor.cli.watch_view import Picture
    from supervisor.client import AsyncClient, Event

_REFRESH_S = 1.0
_LOG_LINES = 8


def watch(reference: Reference = None, *, as_json: AsJson = False) -> None:
    """Watch a run until its end; without one, every live run. With --json an event a line."""
    import asyncio

    from supervisor.cli.connection import LIVE, connect, reported, target

    with connect() as client:
        live = [run["id"] for run in client.runs(state=LIVE, limit=50)["items"]] if not reference else []
        # Names are resolved once: the run that `latest` means may change while it is watched.
        ids = live or [client.get(target(client, reference, or_newest=True))["id"]]
    live_display = sys.stdout.isatty() and not as_json
    with reported():
        asyncio.run(_on_terminal(ids) if live_display else _into_pipe(ids, as_json=as_json))


async def _into_pipe(ids: list[str], *, as_json: bool) -> None:
    import asyncio

    from supervisor.client import AsyncClient

    async with AsyncClient() as client:
        await asyncio.gather(*(_print_events(client, run, len(ids) > 1, as_json) for run in ids))


async def _print_events(client: "AsyncClient", run: str, named: bool, as_json: bool) -> None:  # noqa: FBT001
    from supervisor.cli.output import show_json

    async for event in client.follow_events(run):
        if as_json:
            show_json({"run": run, **event})
        elif sentence := _sentence(event):
            who = f"{run}  " if named else ""
            typer.echo(f"{event['at'][11:19]}  {who}{sentence}")


async def _on_terminal(ids: list[str]) -> None:
    import asyncio

    from rich.console import Console
    from rich.live import Live

    from supervisor.cli.watch_view import Picture
    from supervisor.client import AsyncClient

    pictures = [Picture(run) for run in ids]
    console = Console(highlight=False)
    async with AsyncClient() as client:
        with Live(console=console, auto_refresh=False) as live:
            following = [asyncio.create_task(_follow(client, picture)) for picture in pictures]
            if len(pictures) == 1:
                following.append(asyncio.create_task(_follow_log(client, pictures[0])))
            drawing = asyncio.create_task(_draw(client, pictures, live))
            try:
                await asyncio.gather(*following)
            finally:
                for task in (drawing, *following):
                    task.cancel()
                await asyncio.gather(drawing, *following, return_exceptions=True)
            await _refresh(client, pictures, live)


async def _follow(client: "AsyncClient", picture: "Picture") -> None:
    async for event in client.follow_events(picture.run_id):
        sentence = _sentence(event)
        if sentence:
            picture.told.append(f"{event['at'][11:19]}  {sentence}")


async def _follow_log(client: "AsyncClient", picture: "Picture") -> None:
    async for piece in client.follow_log(picture.run_id, tail=_LOG_LINES, through=True):
        picture.printed(piece.text)


async def _draw(client: "AsyncClient", pictures: "list[Picture]", live: "Live") -> None:
    import asyncio

    from supervisor.client import DaemonUnreachable

    while True:
        try:
            await _refresh(client, pictures, live)
        except DaemonUnreachable as error:
            for picture in pictures:
                picture.trouble = str(error)
        await asyncio.sleep(_REFRESH_S)


async def _refresh(client: "AsyncClient", pictures: "list[Picture]", live: "Live") -> None:
    from supervisor.cli.watch_view import draw

    for picture in pictures:
        picture.run = await client.get(picture.run_id)
        picture.trouble = None
    live.update(draw(pictures, width=live.console.width), refresh=True)


def _sentence(event: "Event") -> str | None:
    from supervisor.cli.words import describe

    return describe(event["type"], event["data"], event["attempt"])
