"""The script between two attempts: which size it holds, the edit to another one, and its undoing.

Planning is separate from doing: a plan that cannot be made stops nothing and has touched nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from supervisor.source.edit import EditRefused, change, change_args
from supervisor.source.file import Script, ScriptChanged, ScriptError, read_script, replace_script
from supervisor.source.locate import External, Located, Missing, Uncertain, locate_batch_size


class EditImpossibleError(Exception):
    """The size cannot be changed; the message says why, `candidates` where it might stand."""

    def __init__(self, message: str, candidates: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.candidates = candidates or []


@dataclass(frozen=True, slots=True)
class Plan:
    """An edit worked out and not yet made. `content` is None where only an argument changes."""

    path: Path
    before: str
    after: str
    content: bytes | None
    args: tuple[str, ...]
    line: int | None
    old: int
    new: int


def size_of(script: Script, args: tuple[str, ...]) -> int | None:
    """The batch size that a launch of the script with these arguments would train with, if certain."""
    located = locate_batch_size(script.data, args)
    return int(located.value) if isinstance(located, Located) else None


def plan_edit(path: str, args: tuple[str, ...], new: int, *, launched: str | None) -> Plan:
    """Work out the change of the batch size to `new`.

    `launched` is the digest of the script that the attempt runs: a script that is another by now is not
    touched. Raises `EditImpossibleError`, or `ScriptChangedSinceLaunchError` for that case.
    """
    try:
        script = read_script(Path(path))
    except ScriptError as error:
        raise EditImpossibleError(str(error)) from error
    if launched is not None and script.digest != launched:
        raise ScriptChangedSinceLaunchError(path)
    located = locate_batch_size(script.data, args)
    if isinstance(located, Uncertain):
        candidates: list[dict[str, object]] = [
            {"line": place.line, "name": place.name, "value": place.value, "why": place.why}
            for place in located.candidates
        ]
        raise EditImpossibleError(located.reason, candidates)
    if isinstance(located, Missing | External):
        raise EditImpossibleError(
            located.reason if isinstance(located, Missing) else f"{located.why}; change it there"
        )
    size = int(located.value)
    try:
        if located.argument is not None:
            changed = change_args(args, located, new)
            return Plan(script.path, script.digest, script.digest, None, changed, None, size, new)
        content = change(script.data, located, new)
    except EditRefused as error:
        raise EditImpossibleError(str(error)) from error
    after = Script(script.path, content).digest
    return Plan(script.path, script.digest, after, content, args, located.places[0].line, size, new)


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
    """Bring back the script as it was before an edit that came to nothing; raises `EditImpossibleError`.

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
