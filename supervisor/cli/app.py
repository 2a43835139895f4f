"""The commands, each with its options; what they do stands in the modules beside this one."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from supervisor import __version__
from supervisor.cli.errors import TIMED_OUT, USAGE, CommandError

app = typer.Typer(
    name="traind",
    help="Background-training supervisor: launches a training script, checks how much of the device it "
    "uses, and corrects its batch size.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Reference = Annotated[str | None, typer.Argument(metavar="[RUN]", help="id, name, prefix or `latest`")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON and nothing else on stdout")]
StateDirOption = Annotated[Path | None, typer.Option("--state-dir", help="where runs are kept")]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, nvml or host")]
CapacityOption = Annotated[
    str | None, typer.Option("--host-capacity", help="memory of the host device, such as 16GiB")
]
ScriptArgs = Annotated[list[str] | None, typer.Argument(metavar="[ARGS]...", help="arguments of the script")]
FollowUp = Annotated[Path | None, typer.Option("--follow-up", help="script to run after training")]
AfterS = Annotated[float | None, typer.Option("--checkpoint-after", help="seconds from launch to checkpoint")]
Python = Annotated[str | None, typer.Option("--python", help="interpreter of the script")]


def _version(*, value: bool) -> None:
    if value:
        typer.echo(f"traind {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Options that stand before a command."""


@app.command()
def serve(
    *,
    state_dir: StateDirOption = None,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any free one")] = None,
    device: DeviceOption = None,
    host_capacity: CapacityOption = None,
) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C. Training outlives it."""
    import asyncio

    from supervisor.api.daemon import DaemonError
    from supervisor.api.daemon import serve as serve_daemon
    from supervisor.logging import configure_logging

    settings = _settings(
        state_dir=state_dir, host=host, port=port, device=device, host_capacity=host_capacity
    )
    configure_logging(settings.log_format, settings.log_level)
    try:
        asyncio.run(serve_daemon(settings))
    except DaemonError as error:
        raise CommandError(str(error)) from error


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    script: Annotated[Path, typer.Argument(help="the training script")],
    args: ScriptArgs = None,
    *,
    follow_up: FollowUp = None,
    python: Python = None,
    checkpoint_after: AfterS = None,
    device: DeviceOption = None,
    host_capacity: CapacityOption = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="the script's output and nothing else")
    ] = False,
) -> None:
    """Supervise a script here, without a daemon; its output on stdout, its exit code at the end."""
    from supervisor.cli.foreground import supervise

    settings = _settings(device=device, host_capacity=host_capacity)
    body = _submission(script, args, follow_up, python, checkpoint_after)
    sys.exit(supervise(settings, body, quiet=quiet))


@app.command(context_settings={"ignore_unknown_options": True})
def submit(
    script: Annotated[Path, typer.Argument(help="the training script")],
    args: ScriptArgs = None,
    *,
    name: Annotated[str | None, typer.Option(help="a name for the run")] = None,
    follow_up: FollowUp = None,
    python: Python = None,
    checkpoint_after: AfterS = None,
    device: Annotated[str | None, typer.Option("--device", help="id of the device, such as gpu1")] = None,
    as_json: AsJson = False,
) -> None:
    """Submit a script to the daemon; prints the run's id at once."""
    from supervisor.cli.client import connect

    body = _submission(script, args, follow_up, python, checkpoint_after)
    body |= {"name": name} if name else {}
    body |= {"devices": [device]} if device else {}
    with connect() as client:
        made = client.post("/v1/runs", body)
    typer.echo(json.dumps(made) if as_json else made["id"])


@app.command()
def ps(
    *,
    show_all: Annotated[bool, typer.Option("--all", "-a", help="ended runs too")] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    from supervisor.cli.client import connect
    from supervisor.cli.words import duration, percent, progress

    with connect() as client:
        runs = client.get("/v1/runs", limit=200)["items"]
    runs = [item for item in runs if show_all or item["ended_at"] is None]
    if as_json:
        typer.echo(json.dumps(runs))
        return
    typer.echo(f"{'ID':<12}  {'NAME':<14}  {'STATE':<10}  {'BATCH':>5}  {'MEM':>4}  {'ETA':>6}  PROGRESS")
    for item in runs:
        share = percent((item["memory"] or {}).get("fraction"))
        label = (item["name"] or Path(item["script"]).name)[:14]
        typer.echo(
            f"{item['id']:<12}  {label:<14}  {item['state']:<10}  {item['batch_size'] or '-':>5}  {share:>4}"
            f"  {duration(item['eta_s']):>6}  {progress(item['progress'])}"
        )


@app.command()
def status(reference: Reference = None, *, as_json: AsJson = False) -> None:
    """Show one run and its attempts; without a run, an overview of all."""
    from supervisor.cli.client import connect
    from supervisor.cli.summary import summarise

    with connect() as client:
        if reference is None and not as_json:
            typer.echo(client.text("/status"), nl=False)
            return
        found = client.get(f"/v1/runs/{reference or 'latest'}")
        attempts = client.get(f"/v1/runs/{found['id']}/attempts")["items"]
    if as_json:
        typer.echo(json.dumps({**found, "attempts": attempts}))
        return
    typer.echo(f"{found['script']}: {found['state']} {found['phase'] or ''}".rstrip())
    if found["verdict"]:
        typer.echo(f"verdict {found['verdict']['kind']}: {found['verdict']['why']}")
    typer.echo(summarise(found, attempts))


@app.command()
def logs(
    reference: Reference = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run's end")] = False,
    attempt: Annotated[int | None, typer.Option(help="which attempt; the newest by default")] = None,
    follow_up: Annotated[bool, typer.Option("--follow-up", help="the follow-up's log")] = False,
    limit: Annotated[int, typer.Option("--bytes", help="how much of the end")] = 16 * 1024,
) -> None:
    """Print the end of a run's log."""
    from supervisor.cli.client import connect, only_live_run
    from supervisor.cli.following import follow_log, print_log

    show = follow_log if follow else print_log
    with connect() as client:
        run_id = only_live_run(client, reference)
        show(client, run_id, attempt=attempt, stage="follow_up" if follow_up else None, limit=limit)


@app.command()
def wait(
    reference: Reference = None,
    *,
    for_: Annotated[str, typer.Option("--for", help="checkpoint, running or finished")] = "finished",
    timeout: Annotated[float | None, typer.Option(help="seconds; without it, as long as it takes")] = None,
    as_json: AsJson = False,
) -> None:
    """Wait for a run. Exits 0 reached, 1 run failed, 2 usage, 3 not found, 124 timed out."""
    from supervisor.cli.client import connect, only_live_run
    from supervisor.cli.following import wait_for

    with connect() as client:
        found = wait_for(client, only_live_run(client, reference), for_, timeout)
    outcome = found["wait"]["outcome"]
    verdict = f", verdict {found['verdict']['kind']}" if found["verdict"] else ""
    typer.echo(json.dumps(found) if as_json else f"{found['id']}: {found['state']}{verdict}")
    if found["state"] in {"failed", "lost", "stopped"}:
        raise typer.Exit(1)
    if outcome == "timeout":
        raise typer.Exit(TIMED_OUT)


@app.command()
def stop(
    reference: Reference = None,
    *,
    grace: Annotated[float | None, typer.Option(help="seconds between SIGTERM and SIGKILL")] = None,
    as_json: AsJson = False,
) -> None:
    """Stop a run gracefully."""
    from supervisor.cli.client import connect, only_live_run

    with connect() as client:
        run_id = only_live_run(client, reference)
        found = client.post(f"/v1/runs/{run_id}/stop", {"grace_s": grace} if grace is not None else {})
    typer.echo(json.dumps(found) if as_json else f"{found['id']}: {found['state']}")


@app.command()
def review(
    script: Annotated[Path, typer.Argument(help="the training script")],
    *,
    kind: Annotated[
        str | None, typer.Option(help="image, tabular or text; told by itself if left out")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Review a script before its launch. Exits 0 passed, 1 failed, 2 usage."""
    from supervisor.cli.review import review_script

    if not review_script(script, kind, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def demo(
    *,
    batch_size: Annotated[int, typer.Option(help="what the script begins with")] = 64,
    host_capacity: Annotated[str, typer.Option(help="memory that the host device is said to have")] = "",
    checkpoint_after: Annotated[float, typer.Option(help="seconds from launch to checkpoint")] = 12.0,
    keep: Annotated[bool, typer.Option("--keep", help="leave the folder of the demo behind")] = False,
) -> None:
    """Train a real model here with too small a batch, and watch it being corrected."""
    from supervisor.cli.demo import run_demo

    began = time.monotonic()
    run_demo(batch_size=batch_size, capacity=host_capacity or None, after_s=checkpoint_after, keep=keep)
    typer.echo(f"the demo took {time.monotonic() - began:.0f} s")


def _settings(**flags: Any) -> Any:
    from supervisor.settings import SettingsError, load_settings

    try:
        return load_settings(**flags)
    except SettingsError as error:
        raise CommandError(str(error), USAGE) from error


def _submission(
    script: Path,
    args: list[str] | None,
    follow_up: Path | None,
    python: str | None,
    checkpoint_after: float | None,
) -> dict[str, Any]:
    """The body of a submission, as seen from this directory and this environment."""
    body: dict[str, Any] = {"script": str(script.absolute()), "args": args or [], "cwd": str(Path.cwd())}
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
