"""The command line: whether an argument sets the batch size, and which part of it is the number."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from supervisor.source.names import is_batch_size

_SHORT = re.compile(r"(-[A-Za-z])(=?)([0-9]+)")
_PAIR = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_END_OF_OPTIONS = "--"
_CONVENTIONAL_SHORT = frozenset({"-b", "-bs"})


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument that sets the size: `args[index]` is `old`, which is `prefix` and then the number."""

    index: int
    old: str
    prefix: str
    flag: str

    def with_size(self, new: int) -> str:
        """What stands at `index` when the size is `new`."""
        return f"{self.prefix}{new}"

    @property
    def value(self) -> int:
        """The size that the argument sets now."""
        return int(self.old.removeprefix(self.prefix))


class UnclearArgumentError(Exception):
    """An argument sets the size to something that is not a number; the message says what to do."""


def find_argument(args: Sequence[str], flags: Mapping[str, bool]) -> Argument | None:
    """The last argument that sets the batch size, as the last one is what option parsers obey.

    `flags` are the option strings that the script declares, each with whether it is the batch size.
    Raises `UnclearArgumentError` where the size is set and cannot be read.
    """
    found = None
    for index, token in enumerate(args):
        if token == _END_OF_OPTIONS:
            break
        place = _read(token, index, args, flags)
        found = place or found
    if found is not None and not _NUMBER.fullmatch(found.old.removeprefix(found.prefix)):
        raise UnclearArgumentError(
            f"the argument {found.flag} sets the batch size to {found.old.removeprefix(found.prefix)!r}, "
            "which is not a whole number; give it a plain number"
        )
    return found


def _read(token: str, index: int, args: Sequence[str], flags: Mapping[str, bool]) -> Argument | None:
    if not token.startswith("-"):
        pair = _PAIR.fullmatch(token)
        if pair is None or not is_batch_size(pair[1].rpartition(".")[2]):
            return None
        return Argument(index, token, token[: pair.start(2)], pair[1])
    name, equals, _ = token.partition("=")
    if _sets_size(name, flags):
        if equals:
            return Argument(index, token, f"{name}=", name)
        value = args[index + 1] if index + 1 < len(args) else ""
        return Argument(index + 1, value, "", name)
    glued = _SHORT.fullmatch(token)
    if glued is not None and _sets_size(glued[1], flags):
        return Argument(index, token, glued[1] + glued[2], glued[1])
    return None


def _sets_size(name: str, flags: Mapping[str, bool]) -> bool:
    if name in flags:
        return flags[name]
    if not name.startswith("--"):
        return not flags and name in _CONVENTIONAL_SHORT
    abbreviated = [flag for flag in flags if flag.startswith(name)]
    if abbreviated:
        return all(flags[flag] for flag in abbreviated)
    return is_batch_size(name)
