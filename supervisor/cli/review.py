"""`traind review`: a script judged here, without a daemon; each finding with its line and its fix."""

import json
from enum import StrEnum
from pathlib import Path

import typer

from supervisor import __version__
from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.review_text import review_text
from supervisor.source.file import ScriptError, read_script
from supervisor.source.review import Kind, as_dict, as_sarif, review_here


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def review_script(path: Path, kind: str | None, form: str) -> bool:
    """Print the review of a script; whether it passed. Raises `CommandError` for what is no usage."""
    known, shown = _kind(kind), _format(form)
    try:
        script = read_script(path)
    except ScriptError as error:
        raise CommandError(str(error), USAGE) from error
    found = review_here(script.data, known)
    if shown is Format.TEXT:
        typer.echo(review_text(path, script.data, found))
    else:
        document = as_dict(found) if shown is Format.JSON else as_sarif(found, path, __version__)
        typer.echo(json.dumps(document))
    return found.passed


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    try:
        return Kind(name)
    except ValueError as error:
        raise CommandError(f"there is no kind {name!r}; say one of {', '.join(Kind)}", USAGE) from error


def _format(name: str) -> Format:
    try:
        return Format(name)
    except ValueError as error:
        raise CommandError(f"there is no format {name!r}; say one of {', '.join(Format)}", USAGE) from error
