"""The daemon as commands see it: its client, errors with exit codes, and the run that is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from supervisor.cli.errors import NOT_FOUND, USAGE, CommandError
from supervisor.client import ApiError, ClientError

if TYPE_CHECKING:
    from supervisor.client import Client

LIVE = ("queued", "starting", "running", "stopping")
_NOT_FOUND = frozenset({"run_not_found", "attempt_not_found"})
_USAGE = frozenset({400, 403, 404, 413, 422})  # what the caller can mend in what was asked
_MOST_NAMED = 8


@contextmanager
def connect() -> Iterator["Client"]:
    """A client of the daemon that the environment names; what fails in the block becomes `CommandError`."""
    from supervisor.client import Client

    with reported(), Client() as client:
        yield client


@contextmanager
def reported() -> Iterator[None]:
    """What the client raises in the block becomes `CommandError`: one line and an exit code."""
    try:
        yield
    except ApiError as error:
        raise CommandError(error.detail, _exit_code(error)) from error
    except ClientError as error:
        raise CommandError(str(error)) from error


def _exit_code(error: ApiError) -> int:
    if error.code in _NOT_FOUND:
        return NOT_FOUND
    usage = error.status in _USAGE or error.code in {"run_ambiguous", "contradictory", "budget_too_short"}
    return USAGE if usage else 1


def target(client: "Client", reference: str | None, *, or_newest: bool = False) -> str:
    """The run that a command means: the one named, else the only live one.

    Where none is live, with `or_newest` the newest. Raises `CommandError` rather than guess.
    """
    if reference is not None:
        return reference
    live = client.runs(state=LIVE, limit=_MOST_NAMED + 1)["items"]
    if len(live) > 1:
        names = ", ".join(run["id"] for run in live[:_MOST_NAMED])
        more = ", …" if len(live) > _MOST_NAMED else ""
        raise CommandError(f"several runs are live: {names}{more}; name one", USAGE)
    if live:
        return live[0]["id"]
    newest = client.runs(limit=1)["items"]
    if not newest:
        raise CommandError("there are no runs yet; `traind submit train.py` makes one", NOT_FOUND)
    if not or_newest:
        raise CommandError(f"no run is live; name one, such as {newest[0]['id']}", NOT_FOUND)
    return newest[0]["id"]
