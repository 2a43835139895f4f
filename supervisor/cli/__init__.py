"""The command line. Heavy imports stand in the commands that use them."""

import os
import sys

_INTERRUPTED = 130
_BROKEN_PIPE = 141  # as if SIGPIPE had ended it, which is what a shell expects of `… | head`


def main() -> None:
    """Entry point of `traind`. What fails is one line on stderr and an exit code, whatever was asked for."""
    from supervisor.cli.errors import CommandError

    try:
        code = _glance() if sys.argv[1:] == ["status"] else _command()
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
    """`traind status`, the call made most: reading arguments would take as long as all the rest."""
    from supervisor.cli.connection import connect

    with connect() as client:
        sys.stdout.write(client.status())
    return 0


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
