"""The script between two attempts: which size it holds, the edit to another one, and its undoing.

Planning is separate from doing: a plan that cannot be made stops nothing and has touched nothing.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from supervisor.domain.run import RunSpec, SizeFile
from supervisor.domain.sizing import SizePlace, SizingEdit
from supervisor.engine.roots import outside
from supervisor.source.answer import Literal
from supervisor.source.file import Script, ScriptChanged, ScriptError, read_script, replace_script
from supervisor.source.size import Launch, SizeKeptError, change_size, known_size, size_in_copy


class EditImpossibleError(Exception):
    """The size cannot be changed; the message says why, `candidates` where it might stand."""

    def __init__(self, message: str, candidates: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.candidates = candidates or []


@dataclass(frozen=True, slots=True)
class Plan:
    """An edit worked out and not yet made. `content` is None where only an argument changes.

    `path` is the script, or where `beside` is set the file that holds the size for it; `before` and `after`
    are its digests.
    """

    path: Path
    before: str
    after: str
    content: bytes | None
    args: tuple[str, ...]
    line: int | None
    old: int
    new: int
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Launched:
    """Digests of what an attempt runs with: a file that is another by now is not touched."""

    script: str | None
    size_file: SizeFile | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is launched, with which arguments, and how its size may be changed."""

    script: str
    args: tuple[str, ...] = ()
    cwd: str | None = None
    edit: SizingEdit = SizingEdit.FILE
    at: SizePlace | None = None
    roots: tuple[Path, ...] = ()

    def launch(self, script: Script) -> Launch:
        """The same for a script that has been read."""
        cwd = Path(self.cwd) if self.cwd is not None else None
        inside = partial(_inside, roots=self.roots)
        return Launch(script, self.args, cwd, self.edit, self.at, inside)


def subject_of(spec: RunSpec, args: tuple[str, ...], roots: tuple[Path, ...]) -> Subject:
    """What a run launches with these arguments."""
    return Subject(spec.script, args, spec.cwd, spec.sizing.edit, spec.batch_size_at, roots)


def size_of(script: Script, subject: Subject) -> tuple[int | None, SizeFile | None]:
    """The batch size that a launch of the script would train with, if certain, and the file that holds it."""
    size, file = known_size(subject.launch(script))
    return size, SizeFile(str(file.path), file.digest) if file is not None else None


def kept_size(script: Script, beside: Path, args: tuple[str, ...], at: SizePlace | None) -> int | None:
    """The same of what an attempt's directory keeps: the script, and the file beside it if there was one."""
    return size_in_copy(Launch(script, args, at=at), beside)


def plan_edit(subject: Subject, new: int, *, launched: Launched | None) -> Plan:
    """Work out the change of the batch size to `new`.

    What is not any more what `launched` says is not touched. Raises `EditImpossibleError`, or
    `ScriptChangedSinceLaunchError` for that case.
    """
    try:
        script = read_script(Path(subject.script))
    except ScriptError as error:
        raise EditImpossibleError(str(error)) from error
    if launched is not None and launched.script is not None and script.digest != launched.script:
        raise ScriptChangedSinceLaunchError(subject.script)
    try:
        change = change_size(subject.launch(script), new)
    except SizeKeptError as error:
        raise EditImpossibleError(str(error), candidates_of(error.candidates)) from error
    file = change.file
    if change.content is None:
        return Plan(file.path, file.digest, file.digest, None, change.args, None, change.old, new)
    beside = file is not script
    here = SizeFile(str(file.path), file.digest)
    if beside and launched is not None and launched.size_file not in {None, here}:
        raise ScriptChangedSinceLaunchError(str(file.path))
    after = Script(file.path, change.content).digest
    line = change.lines[0]
    return Plan(file.path, file.digest, after, change.content, change.args, line, change.old, new, beside)


def candidates_of(places: tuple[Literal, ...]) -> list[dict[str, object]]:
    """Where a size might stand, as it is told."""
    return [
        {"line": place.line, "name": place.name, "value": place.value, "why": place.why} for place in places
    ]


def _inside(path: Path, *, roots: tuple[Path, ...]) -> bool:
    return not outside(path, roots)


class ScriptChangedSinceLaunchError(EditImpossibleError):
    """Someone else changed the script; it is theirs now."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was changed since it was launched, so it is left as it is")


def apply_edit(plan: Plan) -> None:
    """Make the planned edit; raises `EditImpossibleError`. Making it twice is making it once."""
    if plan.content is None:
        return
    try:
        replace_script(plan.path, plan.before, plan.content)
    except ScriptChanged as error:
        raise ScriptChangedSinceLaunchError(str(plan.path)) from error
    except ScriptError as error:
        raise EditImpossibleError(str(error)) from error


def undo_edit(path: str, edited: tuple[str, str], original: bytes) -> None:
    """Bring back a file as it was before an edit that came to nothing; raises `EditImpossibleError`.

    Where somebody has changed it since, theirs stays. So does an edit that a caller asked for of a script
    changed after the launch: `original`, which was launched, is not what the edit replaced.
    """
    before, after = edited
    if Script(Path(path), original).digest != before:
        raise EditImpossibleError("it had been changed between the launch and the edit")
    try:
        replace_script(Path(path), after, original)
    except ScriptError as error:
        raise EditImpossibleError(str(error)) from error
