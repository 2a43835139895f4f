"""`serve`: the daemon, or with `--print-config` where each of its settings comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.options import AsJson, CapacityOption, HostDevice, StateDirOption

if TYPE_CHECKING:
    from supervisor.settings import Settings


def serve(
    *,
    state_dir: StateDirOption = None,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any free one")] = None,
    socket: Annotated[Path | None, typer.Option("--socket", help="path of the Unix socket")] = None,
    device: HostDevice = None,
    host_capacity: CapacityOption = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="show each setting with its origin, and leave")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C. Training outlives it."""
    flags = {
        "state_dir": state_dir,
        "host": host,
        "port": port,
        "socket": socket,
        "device": device,
        "host_capacity": host_capacity,
    }
    settings = settings_of(**flags)
    if print_config:
        _print_config(settings, flags, as_json=as_json)
        return
    if as_json:
        raise CommandError("--json goes with --print-config", USAGE)
    import asyncio
    import faulthandler

    from supervisor.api.daemon import DaemonError
    from supervisor.api.daemon import serve as serve_daemon
    from supervisor.logging import configure_logging

    configure_logging(settings.log_format, settings.log_level)
    faulthandler.enable()  # a watchdog ends a loop that hangs by SIGABRT: the log then says where it hung
    try:
        asyncio.run(serve_daemon(settings))
    except DaemonError as error:
        raise CommandError(str(error)) from error


def settings_of(**flags: Any) -> "Settings":
    """The settings with these flags before all else; raises `CommandError`."""
    from supervisor.settings import SettingsError, load_settings

    try:
        return load_settings(**flags)
    except SettingsError as error:
        raise CommandError(str(error), USAGE) from error


def _print_config(settings: "Settings", flags: dict[str, Any], *, as_json: bool) -> None:
    import os
    import tomllib
    from contextlib import suppress

    from supervisor.cli.origins import explain
    from supervisor.cli.output import show_json, table
    from supervisor.places import config_file

    path = config_file()
    from_file: dict[str, Any] = {}
    with suppress(OSError):
        from_file = tomllib.loads(path.read_text())
    given = {name: value for name, value in flags.items() if value is not None}
    found = explain(settings.model_dump(mode="json"), given, os.environ, from_file, str(path))
    if as_json:
        show_json([{"name": item.name, "value": item.value, "origin": item.origin} for item in found])
        return
    rows = [(item.name, item.shown, item.origin) for item in found]
    typer.echo(table(("SETTING", "VALUE", "ORIGIN"), rows))
