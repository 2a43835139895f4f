"""`traind locate`: where a script's batch size is kept, why, and what another one would change; no daemon."""

import difflib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.cli.lines import column_of, plain_lines, shown_lines
from supervisor.domain.sizing import SizePlace, SizingEdit
from supervisor.source.answer import Answer, External, Literal, Located, Missing, Uncertain
from supervisor.source.chosen import choose
from supervisor.source.external_text import NotThereError, Number
from supervisor.source.file import Script, ScriptError, read_script, replace_script
from supervisor.source.notebook import Notebook, change_notebook, number_in, read_notebook
from supervisor.source.size import Launch, SizeKeptError, beside, change_size, locate, resolved

_ON_LINE = re.compile(r"on line ([1-9][0-9]{0,6})\b")
_CONTEXT = 1
_LONGEST_LINE = 160


@dataclass(frozen=True, slots=True)
class Edit:
    """One number of a file that would be changed."""

    path: Path
    line: int
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class View:
    """A text as people see it: a file, or a notebook's cell.

    `marks` are the line, the column and the width of each number.
    """

    name: str
    before: list[str]
    after: list[str]
    marks: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to say: `status` is found, external, refused or none.

    The change is of `file` to `content`, or of the arguments to `args`, where there is one.
    """

    status: str
    reason: str
    chain: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    candidates: tuple[Literal, ...] = ()
    file: Script | None = None
    content: bytes | None = None
    args: tuple[str, ...] | None = None
    views: tuple[View, ...] = ()


def locate_size(
    path: Path,
    args: tuple[str, ...],
    *,
    to: int | None,
    cwd: Path | None,
    at: int | None,
    edit: str | None,
    write: bool,
    as_json: bool,
) -> None:
    """Print where the size is kept; raises `CommandError` for a missing script or a failed `write`."""
    if not os.path.lexists(path):
        raise CommandError(f"there is no {path}; give the path of a script that exists", USAGE)
    outcome = _outcome(path, args, to=to, cwd=cwd or Path.cwd(), at=at, edit=edit)
    typer.echo(json.dumps(_as_dict(outcome)) if as_json else _text(path, args, outcome))
    if write:
        _write(outcome, as_json=as_json)


def _outcome(
    path: Path, args: tuple[str, ...], *, to: int | None, cwd: Path, at: int | None, edit: str | None
) -> Outcome:
    try:
        script = read_script(path)
    except ScriptError as error:
        return Outcome("refused", str(error))
    notebook = read_notebook(script.data)
    if notebook is not None:
        if at is not None:
            raise CommandError("--batch-size-at counts lines of a script, and a notebook has cells", USAGE)
        return _of_notebook(path, script, notebook, to)
    launch = Launch(script, args, cwd, SizingEdit(edit or SizingEdit.FILE))
    if at is not None:
        chosen = choose(script.data, at)
        if not isinstance(chosen, SizePlace):
            return Outcome("refused", chosen.reason, (), (), chosen.candidates)
        launch = replace(launch, at=chosen)
    return _of_script(path, launch, locate(launch), to)


def _of_script(path: Path, launch: Launch, answer: Answer, to: int | None) -> Outcome:
    if isinstance(answer, Missing):
        return Outcome("none", answer.reason)
    if isinstance(answer, Uncertain):
        return Outcome("refused", answer.reason, (), (), answer.candidates)
    status = "found" if isinstance(answer, Located) and answer.argument is None else "external"
    chain = answer.chain or (answer.why,)
    try:
        old = _value(launch, answer)
        change = change_size(launch, to or 2 * old, answer)
    except SizeKeptError as error:
        return Outcome(status, str(error), chain)
    if change.content is None:
        return Outcome(status, answer.why, chain, args=change.args)
    data = change.file.data
    places: Sequence[Literal | Number] = ()
    if isinstance(answer, Located):
        shown, places = path, answer.places
    else:
        shown, places = change.file.path, (beside(launch, answer).number,)
    edits = tuple(Edit(shown, place.line, old, change.new) for place in places)
    marks = tuple((place.line, column_of(data, place.start), place.end - place.start) for place in places)
    view = View(str(shown), shown_lines(data), shown_lines(change.content), marks)
    return Outcome(status, answer.why, chain, edits, (), change.file, change.content, views=(view,))


def _value(launch: Launch, answer: Located | External) -> int:
    if isinstance(answer, External):
        answer = resolved(answer, beside(launch, answer))
    return int(answer.value or 0)


def _of_notebook(path: Path, script: Script, notebook: Notebook, to: int | None) -> Outcome:
    """The same for a notebook, whose cells are told by their numbers; it is edited and not launched."""
    launch = Launch(Script(script.path, notebook.code.encode("utf-8", "replace")))
    answer = locate(launch)
    advice = f"a notebook is not launched: convert it by `jupyter nbconvert --to script {path.name}`"
    if isinstance(answer, Missing | External):
        reason = answer.reason if isinstance(answer, Missing) else _in_cells(answer.why, notebook)
        status = "none" if isinstance(answer, Missing) else "external"
        return Outcome(status, f"{reason.rstrip('.')}; {advice}")
    places = answer.places if isinstance(answer, Located) else answer.candidates
    why = _in_cells(answer.why if isinstance(answer, Located) else answer.reason, notebook)
    try:
        numbers = [number_in(notebook, place) for place in places]
        if isinstance(answer, Uncertain):
            moved = tuple(
                replace(place, line=number.line, why=_in_cells(place.why, notebook))
                for place, number in zip(places, numbers, strict=True)
            )
            return Outcome("refused", f"{why.rstrip('.')}; {advice}", (), (), moved)
        old = int(answer.value)
        new = to or 2 * old
        content = change_notebook(notebook, places, new)
    except NotThereError as error:
        return Outcome("refused", f"{why}, and {path} is not edited: {error}; {advice}")
    edits = tuple(Edit(path, item.line, old, new) for item in numbers)
    views = tuple(_cells(path, notebook, content, answer.places))
    chain = tuple(_in_cells(step, notebook) for step in answer.chain)
    return Outcome("found", f"{why}; {advice}", chain, edits, (), script, content, views=views)


def _in_cells(step: str, notebook: Notebook) -> str:
    """A sentence that counts the lines of all code, told by cells."""

    def told(match: re.Match[str]) -> str:
        number = int(match[1])
        if number > len(notebook.lines):
            return match[0]
        line = notebook.lines[number - 1]
        return f"in cell {line.cell}, line {line.number}"

    return _ON_LINE.sub(told, step)


def _cells(path: Path, notebook: Notebook, content: bytes, places: tuple[Literal, ...]) -> Iterator[View]:
    """The cells that the change touches."""
    changed = read_notebook(content)
    for number, (before, after) in enumerate(
        zip(notebook.cells, changed.cells if changed is not None else (), strict=True), 1
    ):
        inside = [place for place in places if notebook.lines[place.line - 1].cell == number]
        if inside:
            code = notebook.code.encode("utf-8", "replace")
            marks = tuple(
                (
                    notebook.lines[place.line - 1].number,
                    column_of(code, place.start),
                    place.end - place.start,
                )
                for place in inside
            )
            yield View(f"{path}, cell {number}", plain_lines(before), plain_lines(after), marks)


def _write(outcome: Outcome, *, as_json: bool) -> None:
    if outcome.file is None or outcome.content is None:
        raise CommandError(f"nothing was written: {outcome.reason}")
    try:
        replace_script(outcome.file.path, outcome.file.digest, outcome.content)
    except ScriptError as error:
        raise CommandError(str(error)) from error
    if not as_json:
        typer.echo(f"written to {outcome.file.path}")


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "edits": [
            {"path": str(edit.path), "line": edit.line, "old": edit.old, "new": edit.new}
            for edit in outcome.edits
        ],
        "reason": outcome.reason,
        "candidates": [
            {"line": place.line, "name": place.name, "value": place.value, "why": place.why}
            for place in outcome.candidates
        ],
    }


def _text(path: Path, args: tuple[str, ...], outcome: Outcome) -> str:
    blocks = [f"{path}: {outcome.status}: {outcome.reason}"]
    blocks += [f"  {number}. {step}" for number, step in enumerate(outcome.chain, 1)]
    for view in outcome.views:
        for mark in view.marks:
            blocks += ["", *_marked(view, *mark)]
        blocks += ["", *_diff(view)]
    if outcome.args is not None:
        blocks += ["", f"-{path.name} {' '.join(args)}".rstrip(), f"+{path.name} {' '.join(outcome.args)}"]
    for place in outcome.candidates:
        blocks.append(f"  line {place.line}: {place.name} = {place.value} ({place.why})")
    if outcome.candidates:
        blocks.append(
            f"  choose one by --batch-size-at, such as --batch-size-at {outcome.candidates[0].line}"
        )
    return "\n".join(plain_lines("\n".join(blocks)))


def _marked(view: View, line: int, column: int, width: int) -> list[str]:
    """The line with a caret under the number."""
    text = view.before[line - 1] if line <= len(view.before) else ""
    shown = [f"{view.name}:{line}", f"  {text[:_LONGEST_LINE]}"]
    if column < _LONGEST_LINE:
        blank = "".join(c if c == "\t" else " " for c in text[:column])
        shown.append(f"  {blank}{'^' * max(1, min(width, len(text) - column))}")
    return shown


def _diff(view: View) -> list[str]:
    found = difflib.unified_diff(view.before, view.after, view.name, view.name, n=_CONTEXT, lineterm="")
    return [line[:_LONGEST_LINE] for line in found]
