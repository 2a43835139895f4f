"""The command line. Heavy imports stand in the commands that use them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

_COMPLETION = "_TRAIND_COMPLETE"
HELP_PAGE = Path(__file__).with_name("help.txt")

_INTERRUPTED = 130
_BROKEN_PIPE = 141  # as if SIGPIPE had ended it, which is what a shell expects of `… | head`


def main() -> None:
    """Entry point of `traind`. What fails is one line on stderr and an exit code, whatever was asked for."""
    from supervisor.cli.errors import CommandError

    try:
        completing = _COMPLETION in os.environ  # a shell asks so, with no arguments
        code = (_command if completing else _QUICK.get(tuple(sys.argv[1:]), _command))()
        sys.stdout.flush()
    except CommandError as error:
        print(f"traind: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # What is left in the buffer would raise again when the interpreter flushes it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    sys.exit(code)


def _glance() -> int:
    """`traind status`, the call made most."""
    from supervisor.cli.connection import reported
    from supervisor.client.discovery import discover
    from supervisor.client.glance import status_text

    with reported():
        sys.stdout.write(status_text(discover()))
    return 0


def _help() -> int:
    """The page of all commands as it was last made; a test holds it against what Typer makes."""
    sys.stdout.write(HELP_PAGE.read_text())
    return 0


# What needs no reading of arguments, which would take as long as all the rest.
_QUICK: dict[tuple[str, ...], Callable[[], int]] = {("status",): _glance, ("--help",): _help, (): _help}


def _command() -> int:
    import typer

    from supervisor.cli.app import app
    from supervisor.cli.errors import USAGE, CommandError

    try:
        code = app(standalone_mode=False, prog_name="traind")
    except typer.TyperException as error:
        said = " ".join(error.format_message().split())
        raise CommandError(f"{said} (see --help)", USAGE) from error
    except typer.Abort:
        return _INTERRUPTED
    return code if isinstance(code, int) else 0
