"""The batch size of a launch wherever it is kept: the script, an argument, a file that the script reads.

A change is worked out here and made elsewhere; nothing is written, and of files only those that the
script is certain to read are opened.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from supervisor.domain.sizing import SizePlace, SizingEdit
from supervisor.source.answer import Answer, External, Literal, Located, Missing, Uncertain
from supervisor.source.chosen import find_chosen
from supervisor.source.edit import EditRefused, change, change_args
from supervisor.source.external import change_number, find_number
from supervisor.source.external_text import NotThereError, Number
from supervisor.source.file import Script, ScriptError, read_script
from supervisor.source.flags import with_flag
from supervisor.source.locate import locate_batch_size

_ELSEWHERE = {"args": "give it on the command line", "env": "set it there", "python": "change it there"}


class SizeKeptError(Exception):
    """The size cannot be changed; the message says why and what to do, `candidates` where it might stand."""

    def __init__(self, message: str, candidates: tuple[Literal, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class Launch:
    """A script as it is launched, and what of it may be changed.

    `cwd` is where it runs, `at` the number that a caller chose; `inside` says whether a path may be read.
    """

    script: Script
    args: tuple[str, ...] = ()
    cwd: Path | None = None
    edit: SizingEdit = SizingEdit.FILE
    at: SizePlace | None = None
    inside: Callable[[Path], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Beside:
    """The file beside the script that holds the size, and the number in it."""

    file: Script
    number: Number


@dataclass(frozen=True, slots=True)
class Change:
    """A change worked out: of `file` to `content`, or, where that is None, of the arguments to `args`."""

    file: Script
    content: bytes | None
    args: tuple[str, ...]
    lines: tuple[int, ...]
    old: int
    new: int


def locate(launch: Launch) -> Answer:
    """Where the size is kept, as far as the script and its arguments tell; those win over a chosen number."""
    answer = locate_batch_size(launch.script.data, launch.args)
    if launch.at is None or (isinstance(answer, Located) and answer.argument is not None):
        return answer
    return find_chosen(launch.script.data, launch.at)


def known_size(launch: Launch) -> tuple[int | None, Script | None]:
    """The size that the launch would train with, None where not certain, and the file beside the script."""
    answer = locate(launch)
    if isinstance(answer, Located):
        return int(answer.value), None
    if not isinstance(answer, External):
        return None, None
    try:
        found = beside(launch, answer)
    except SizeKeptError:
        return None, None
    return found.number.value, found.file


def size_in_copy(launch: Launch, copy: Path) -> int | None:
    """The same where `copy` is what stood in the file beside the script, whatever that was called."""
    answer = locate(launch)
    if isinstance(answer, Located):
        return int(answer.value)
    if not isinstance(answer, External):
        return None
    try:
        return find_number(read_script(copy).data, answer.format, answer.keys).value
    except (ScriptError, NotThereError):
        return None


def change_size(launch: Launch, new: int, answer: Answer | None = None) -> Change:
    """Work out the change of the size to `new`; the command line wins over files. Raises `SizeKeptError`."""
    answer = answer or locate(launch)
    if isinstance(answer, Uncertain):
        raise SizeKeptError(answer.reason, answer.candidates)
    if isinstance(answer, Missing):
        raise SizeKeptError(answer.reason)
    try:
        if isinstance(answer, Located) and answer.argument is not None:
            args = change_args(launch.args, answer, new)
            return Change(launch.script, None, args, (), int(answer.value), new)
        if launch.edit is SizingEdit.ARGS:
            return _by_flag(launch, answer, new)
        if isinstance(answer, External):
            return _beside_changed(launch, answer, new)
        content = change(launch.script.data, answer, new)
    except EditRefused as error:
        raise SizeKeptError(str(error)) from error
    lines = tuple(place.line for place in answer.places)
    return Change(launch.script, content, launch.args, lines, int(answer.value), new)


def beside(launch: Launch, external: External) -> Beside:
    """Read the file that the answer names; raises `SizeKeptError` where it or its number is not certain."""
    if external.format in _ELSEWHERE:
        raise SizeKeptError(f"{external.why}; {_ELSEWHERE[external.format]}")
    written = written_path(external, launch.args)
    if written is None:
        raise SizeKeptError(f"{external.why}, and which file that is is not certain; change it there")
    found = [
        path for path in places_of(written, launch.cwd, launch.script.path) if _is_there(path, launch.inside)
    ]
    if not found:
        raise SizeKeptError(f"{external.why}, and there is no such file that may be read; change it there")
    if len({os.path.realpath(path) for path in found}) > 1:
        where = " and ".join(map(str, found))
        raise SizeKeptError(
            f"{external.why}, which may be {where}; keep one of them, or write the path in full"
        )
    try:
        file = read_script(found[0])
    except ScriptError as error:
        raise SizeKeptError(f"{external.why}: {error}") from error
    if not launch.inside(file.path):  # it may have become a link since
        raise SizeKeptError(f"{external.why}, which lies outside of what may be read; change it there")
    try:
        return Beside(file, find_number(file.data, external.format, external.keys))
    except NotThereError as error:
        raise SizeKeptError(f"{external.why}; {file.path} is not edited: {error}") from error


def written_path(external: External, args: tuple[str, ...]) -> str | None:
    """The path as the script gets it, out of its text or out of an argument; None where neither tells."""
    if external.path is not None or external.argument_index is None:
        return external.path
    if external.argument_index >= len(args):
        return None
    token = args[external.argument_index]
    if not token.startswith("-"):
        return token
    return token.partition("=")[2] or None


def places_of(written: str, cwd: Path | None, script: Path) -> list[Path]:
    """Where a path that a script writes may lead: from where it runs, else from its own folder."""
    if not written or "\0" in written:
        return []
    path = Path(written)
    folders = [folder for folder in (cwd, script.parent) if folder is not None]
    return [path] if path.is_absolute() else [folder / path for folder in folders]


def resolved(external: External, found: Beside) -> External:
    """The answer with what its file said."""
    return replace(external, path=str(found.file.path), value=found.number.value)


def _is_there(path: Path, inside: Callable[[Path], bool]) -> bool:
    try:
        return inside(path) and path.exists()
    except (OSError, ValueError):
        return False


def _by_flag(launch: Launch, answer: Located | External, new: int) -> Change:
    args = with_flag(launch.script.data, launch.args, answer, new)
    if args is None:
        raise SizeKeptError(
            "sizing.edit is args, and no flag of the script is certain to set the batch size; "
            "give it as an argument, or leave sizing.edit at file"
        )
    old = int(answer.value) if isinstance(answer, Located) else beside(launch, answer).number.value
    return Change(launch.script, None, args, (), old, new)


def _beside_changed(launch: Launch, external: External, new: int) -> Change:
    found = beside(launch, external)
    try:
        content = change_number(found.file.data, external.format, external.keys, new)
    except NotThereError as error:
        raise SizeKeptError(f"{external.why}; {found.file.path} is not edited: {error}") from error
    return Change(found.file, content, launch.args, (found.number.line,), found.number.value, new)
