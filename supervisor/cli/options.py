"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor.cli.completion import complete_run
from supervisor.cli.parsing import parse_duration


def duration(text: str) -> float:
    """For Typer: seconds of `35m`, `90s`, `1h30m`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Reference = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="id, name, prefix or `latest`", autocompletion=complete_run),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON and nothing else on stdout")]
IfAttempt = Annotated[
    int | None, typer.Option("--if-attempt", help="only while this attempt is the current one", min=0)
]
Grace = Annotated[
    float | None,
    typer.Option("--grace", help="from SIGTERM to SIGKILL, such as 30s", parser=duration, metavar="TIME"),
]
StateDirOption = Annotated[Path | None, typer.Option("--state-dir", help="where runs are kept")]
HostDevice = Annotated[str | None, typer.Option("--device", help="auto, nvml or host")]
CapacityOption = Annotated[
    str | None, typer.Option("--host-capacity", help="memory of the host device, such as 16GiB")
]
