"""The command line: whether an argument sets the number, and which part of the argument that is."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from supervisor.source.names import Purpose, is_batch_size, purpose_of

_SHORT = re.compile(r"(-[A-Za-z])(=?)([0-9]+)")
_PAIR = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_RATE = re.compile(r"(?=[^e]*[1-9])[0-9]*\.?[0-9]*([eE][-+]?[0-9]{1,3})?")
_END_OF_OPTIONS = "--"
_CONVENTIONAL_SHORT = frozenset({"-b", "-bs"})


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument that sets the number: `args[index]` is `old`, which is `prefix` and then the number."""

    index: int
    old: str
    prefix: str
    flag: str

    def with_size(self, new: float | str) -> str:
        """What stands at `index` when the number is `new`."""
        return f"{self.prefix}{new}"

    @property
    def value(self) -> int | float:
        """The number that the argument sets now."""
        text = self.old.removeprefix(self.prefix)
        return int(text) if text.isdigit() else float(text)


class UnclearArgumentError(Exception):
    """An argument sets the number to something that is none; the message says what to do."""


def find_argument(
    args: Sequence[str],
    flags: Mapping[str, bool],
    is_name: Callable[[str], bool] = is_batch_size,
    noun: str = "batch size",
) -> Argument | None:
    """The last argument that sets the number, as the last one is what option parsers obey.

    `flags` are the option strings that the script declares, each with whether it is the number's. Raises
    `UnclearArgumentError` where it is set and cannot be read.
    """
    found = None
    for index, token in enumerate(args):
        if token == _END_OF_OPTIONS:
            break
        place = _read(token, index, args, flags, is_name)
        found = place or found
    number, kind = (_NUMBER, "whole number") if is_name is is_batch_size else (_RATE, "number above 0")
    if found is not None and not number.fullmatch(found.old.removeprefix(found.prefix)):
        raise UnclearArgumentError(
            f"the argument {found.flag} sets the {noun} to {found.old.removeprefix(found.prefix)!r}, "
            f"which is not a {kind}; give it a plain number"
        )
    return found


def value_given(args: Sequence[str], flags: Sequence[str], declared: Iterable[str]) -> bool:
    """Whether the arguments set the option that has these option strings, out of all that are declared."""
    return index_of_value(args, flags, declared) is not None


def index_of_value(args: Sequence[str], flags: Sequence[str], declared: Iterable[str]) -> int | None:
    """The position of the argument that holds an option's value; of a switch, or one glued to it, its own."""
    names = set(declared)
    found = None
    for index, token in enumerate(args):
        if token == _END_OF_OPTIONS:
            break
        name, equals, _ = token.partition("=")
        if name in flags or _abbreviates(name, flags, names):
            following = index + 1 < len(args) and not args[index + 1].startswith("--")
            found = index if equals or not following else index + 1
        elif any(
            len(flag) == len("-b") and name.startswith(flag) and not name.startswith("--") for flag in flags
        ):
            found = index
    return found


def _abbreviates(name: str, flags: Sequence[str], declared: set[str]) -> bool:
    if not name.startswith("--") or len(name) <= len("--") or name in declared:
        return False
    meant = {flag for flag in declared if flag.startswith(name)}
    return bool(meant) and meant <= set(flags)


def _read(
    token: str, index: int, args: Sequence[str], flags: Mapping[str, bool], is_name: Callable[[str], bool]
) -> Argument | None:
    if not token.startswith("-"):
        pair = _PAIR.fullmatch(token)
        if pair is None or not is_name(pair[1].rpartition(".")[2]):
            return None
        return Argument(index, token, token[: pair.start(2)], pair[1])
    name, equals, _ = token.partition("=")
    if _sets_it(name, flags, is_name):
        if equals:
            return Argument(index, token, f"{name}=", name)
        value = args[index + 1] if index + 1 < len(args) else ""
        return Argument(index + 1, value, "", name)
    glued = _SHORT.fullmatch(token)
    if glued is not None and _sets_it(glued[1], flags, is_name):
        return Argument(index, token, glued[1] + glued[2], glued[1])
    return None


def _sets_it(name: str, flags: Mapping[str, bool], is_name: Callable[[str], bool]) -> bool:
    if name in flags:
        return flags[name]
    if not name.startswith("--"):
        return is_name is is_batch_size and not flags and name in _CONVENTIONAL_SHORT
    abbreviated = [flag for flag in flags if flag.startswith(name)]
    if abbreviated:
        return all(flags[flag] for flag in abbreviated)
    return is_name(name) and purpose_of(name) is not Purpose.EVALUATION
