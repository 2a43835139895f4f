"""The command line. Heavy imports stand in the commands that use them."""

import sys


def main() -> None:
    """Entry point of `traind`."""
    from supervisor.cli.app import app
    from supervisor.cli.errors import CommandError

    try:
        app()
    except CommandError as error:
        print(f"traind: {error}", file=sys.stderr)  # noqa: T201 - the command line's own output
        sys.exit(error.code)
