"""`run` and `submit`: launching a script, here or by the daemon."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import AsJson, CapacityOption, Grace, HostDevice, duration
from supervisor.cli.parsing import parse_artifact, parse_env

if TYPE_CHECKING:
    from supervisor.client.models import Submission

Script = Annotated[Path, typer.Argument(help="the training script")]
ScriptArgs = Annotated[list[str] | None, typer.Argument(metavar="[ARGS]...", help="arguments of the script")]
FollowUp = Annotated[Path | None, typer.Option("--follow-up", help="script to run after training")]
Python = Annotated[str | None, typer.Option("--python", help="interpreter of the script")]
After = Annotated[
    float | None,
    typer.Option(
        "--checkpoint-after", help="from launch to checkpoint, such as 60s", parser=duration, metavar="TIME"
    ),
]
_KINDS = ("image", "tabular", "text")
_REVIEWS = ("off", "warn", "enforce")
_SIZINGS = ("double", "off")
_EDITS = ("file", "args")
_WAITS = ("checkpoint", "running", "finished")


def run(
    script: Script,
    args: ScriptArgs = None,
    *,
    follow_up: FollowUp = None,
    python: Python = None,
    checkpoint_after: After = None,
    device: HostDevice = None,
    host_capacity: CapacityOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="the script's output and nothing else")
    ] = False,
) -> None:
    """Supervise a script here, without a daemon; its output on stdout, its exit code at the end."""
    from supervisor.cli.foreground import supervise
    from supervisor.cli.serving import settings_of

    settings = settings_of(device=device, host_capacity=host_capacity)
    body = _basics(script, args, follow_up, python, checkpoint_after)
    sys.exit(supervise(settings, dict(body), quiet=quiet))


def submit(
    script: Script,
    args: ScriptArgs = None,
    *,
    name: Annotated[str | None, typer.Option(help="a name for the run")] = None,
    follow_up: FollowUp = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", "-e", help="for the script; may be repeated", metavar="K=V")
    ] = None,
    cwd: Annotated[Path | None, typer.Option("--cwd", help="where it runs; here by default")] = None,
    python: Python = None,
    device: Annotated[str | None, typer.Option("--device", help="id of the device, such as gpu1")] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", help="for the whole run, such as 35m", parser=duration, metavar="TIME"),
    ] = None,
    reserve: Annotated[
        float | None,
        typer.Option("--reserve", help="kept for the follow-up", parser=duration, metavar="TIME"),
    ] = None,
    grace: Grace = None,
    artifact: Annotated[
        list[str] | None,
        typer.Option("--artifact", help="file it must leave behind, and one like it", metavar="PATH[:LIKE]"),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="image, tabular or text")] = None,
    review: Annotated[str | None, typer.Option("--review", help="off, warn or enforce")] = None,
    sizing: Annotated[str | None, typer.Option("--sizing", help="double or off")] = None,
    max_batch_size: Annotated[int | None, typer.Option("--max-batch-size", min=1)] = None,
    max_relaunches: Annotated[int | None, typer.Option("--max-relaunches", min=0)] = None,
    sizing_edit: Annotated[
        str | None, typer.Option("--sizing-edit", help="what is changed: file, or args by the script's flag")
    ] = None,
    batch_size_at: Annotated[
        int | None,
        typer.Option("--batch-size-at", help="the script's line with the batch size", min=1, metavar="LINE"),
    ] = None,
    checkpoint_after: After = None,
    wait: Annotated[
        str | None, typer.Option("--wait", help="and wait: checkpoint, running or finished")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="of --wait", parser=duration, metavar="TIME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit a script to the daemon; prints the run's id at once. Options stand before the script."""
    from supervisor.cli.connection import connect
    from supervisor.cli.output import show_json
    from supervisor.cli.waiting import show_waited

    body = _basics(script, args, follow_up, python, checkpoint_after)
    sizes = {"policy": _one_of("--sizing", sizing, _SIZINGS), "max_batch_size": max_batch_size}
    sizes |= {"max_relaunches": max_relaunches, "edit": checked_edit(sizing_edit)}
    try:
        more: dict[str, Any] = {
            "name": name,
            "cwd": str(cwd.absolute()) if cwd else None,
            "env": parse_env(env or ()),
            "devices": [device] if device else None,
            "budget_s": budget,
            "reserve_s": reserve,
            "grace_s": grace,
            "artifacts": [parse_artifact(item) for item in artifact or ()],
            "kind": _one_of("--kind", kind, _KINDS),
            "review": _one_of("--review", review, _REVIEWS),
            "sizing": _given(sizes),
            "batch_size_at": batch_size_at,
        }
    except ValueError as error:
        raise CommandError(str(error), USAGE) from error
    wanted: Any = _one_of("--wait", wait, _WAITS)
    body.update(_given(more))  # type: ignore[typeddict-item] # the keys above are its own
    with connect() as client:
        made = client.submit(**body)
        if wanted is None:
            show_json(made) if as_json else typer.echo(made["id"])
            return
        if not as_json:
            typer.echo(made["id"])
        found = client.wait(made["id"], wanted, timeout)
    show_waited(found, as_json=as_json)


def checked_edit(given: str | None) -> str | None:
    """The value of `--sizing-edit`; raises `CommandError`."""
    return _one_of("--sizing-edit", given, _EDITS)


def _basics(
    script: Path,
    args: list[str] | None,
    follow_up: Path | None,
    python: str | None,
    checkpoint_after: float | None,
) -> "Submission":
    """What `run` and `submit` share, as seen from this directory and this environment."""
    if str(script).startswith("-"):  # options that are not ours are the script's, but for the first
        raise CommandError(f"no such option: {script} (see --help)", USAGE)
    body: Submission = {"script": str(script.absolute()), "args": args or [], "cwd": str(Path.cwd())}
    names = ("python", "python3") if python is None else (python,)
    interpreter = next((found for name in names if (found := shutil.which(name))), None)
    if python is not None and interpreter is None:
        raise CommandError(f"there is no interpreter {python}; give the path of one by --python", USAGE)
    if interpreter is not None:
        body["python"] = str(Path(interpreter).absolute())
    if follow_up is not None:
        body["follow_up"] = {"script": str(follow_up.absolute())}
    if checkpoint_after is not None:
        body["checkpoint"] = {"after_s": checkpoint_after}
    return body


def _one_of(option: str, given: str | None, choices: tuple[str, ...]) -> str | None:
    if given is not None and given not in choices:
        raise CommandError(f"{option} {given}: choose {', '.join(choices[:-1])} or {choices[-1]}", USAGE)
    return given


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without what was not given: the daemon's own defaults stand then."""
    return {name: value for name, value in values.items() if value not in (None, {}, [])}
