"""The commands put together; each group stands in a module of its own beside this one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from supervisor import __version__
from supervisor.cli import changing, doctor, launching, logs, looking, serving, waiting, watch
from supervisor.cli.options import AsJson

app = typer.Typer(
    name="traind",
    help="Background-training supervisor: launches a training script, checks how much of the device it "
    "uses, and corrects its batch size.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(*, value: bool) -> None:
    if value:
        typer.echo(f"traind {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="say which, and leave")
    ] = False,
) -> None:
    """Background-training supervisor: launches a script, checks how much of the device it uses, and
    corrects its batch size.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def review(
    script: Annotated[Path, typer.Argument(help="the training script")],
    *,
    kind: Annotated[
        str | None, typer.Option(help="image, tabular or text; told by itself if left out")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, json or sarif")] = "text",
    as_json: AsJson = False,
) -> None:
    """Review a script before its launch. Exits 0 passed, 1 failed, 2 usage."""
    from supervisor.cli.review import review_script

    if not review_script(script, kind, "json" if as_json else form):
        raise typer.Exit(1)


def locate(
    script: Annotated[Path, typer.Argument(help="the training script, or a notebook")],
    args: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="arguments of the script")
    ] = None,
    *,
    to: Annotated[
        int | None, typer.Option("--to", help="the new size; twice as large if left out", min=1)
    ] = None,
    cwd: Annotated[Path | None, typer.Option("--cwd", help="where the script runs; here by default")] = None,
    at: Annotated[
        int | None,
        typer.Option("--batch-size-at", help="the script's line with the batch size", min=1, metavar="LINE"),
    ] = None,
    sizing_edit: Annotated[str | None, typer.Option("--sizing-edit", help="file or args")] = None,
    write: Annotated[bool, typer.Option("--write", help="make the change that is shown")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a script keeps its batch size, and what a larger one would change."""
    from supervisor.cli.launching import checked_edit
    from supervisor.cli.locate import locate_size

    edit = checked_edit(sizing_edit)
    locate_size(script, tuple(args or ()), to=to, cwd=cwd, at=at, edit=edit, write=write, as_json=as_json)


def demo(
    *,
    batch_size: Annotated[int, typer.Option(help="what the script begins with")] = 64,
    host_capacity: Annotated[str, typer.Option(help="memory that the host device is said to have")] = "",
    checkpoint_after: Annotated[float, typer.Option(help="seconds from launch to checkpoint")] = 12.0,
    keep: Annotated[bool, typer.Option("--keep", help="leave the folder of the demo behind")] = False,
) -> None:
    """Train a real model here with too small a batch, and watch it being corrected."""
    import time

    from supervisor.cli.demo import run_demo

    began = time.monotonic()
    run_demo(batch_size=batch_size, capacity=host_capacity or None, after_s=checkpoint_after, keep=keep)
    typer.echo(f"the demo took {time.monotonic() - began:.0f} s")


_PASSES_ON = {"ignore_unknown_options": True}  # what a script takes is the script's
_COMMANDS: tuple[tuple[Callable[..., None], dict[str, Any]], ...] = (
    (serving.serve, {}),
    (launching.run, _PASSES_ON),
    (launching.submit, _PASSES_ON),
    (looking.ps, {}),
    (looking.status, {}),
    (logs.logs, {}),
    (waiting.wait, {}),
    (watch.watch, {}),
    (changing.stop, {}),
    (changing.relaunch, {}),
    (changing.restore, {}),
    (review, {}),
    (locate, {}),
    (looking.report, {}),
    (looking.devices, {}),
    (doctor.doctor, {}),
    (demo, {}),
)
for _command, _context in _COMMANDS:
    app.command(context_settings=_context)(_command)
