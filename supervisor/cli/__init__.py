"""The command line. Heavy imports stand in the commands that use them."""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Entry point of `traind`. What fails is one line on stderr and an exit code, whatever was asked for."""
    import typer

    from supervisor.cli.app import app
    from supervisor.cli.errors import USAGE, CommandError

    try:
        code = app(standalone_mode=False, prog_name="traind")
    except CommandError as error:
        print(f"traind: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(error.code)
    except typer.TyperException as error:
        said = " ".join(error.format_message().split())
        print(f"traind: {said} (see --help)", file=sys.stderr)  # noqa: T201 - likewise
        sys.exit(USAGE)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
