"""What a search of a script for its batch size, or its learning rate, may answer."""

from dataclasses import dataclass

from supervisor.source.arguments import Argument


@dataclass(frozen=True, slots=True)
class Literal:
    """A number written in the source: `source[start:end]`, which begins on `line` (from 1), reads `value`.

    `start` and `end` are byte offsets into the source as given. `name` is what it is bound to, `form` how.
    """

    line: int
    start: int
    end: int
    value: int | float
    name: str
    form: str
    why: str


@dataclass(frozen=True, slots=True)
class Located:
    """The number that training runs with, and what to change: `argument` where set, else `places`.

    Several places all read `value` and change together. `chain` has a sentence for each step, from the use
    back to the literal.
    """

    value: int | float
    places: tuple[Literal, ...]
    argument: Argument | None
    why: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class External:
    """The number lives in a file that the script reads, under `keys` from the outside in.

    `path` is as the script writes it, relative to the working directory; where it is None, the argument at
    `argument_index` is the path, if there is one. `format` is "yaml", "json", "toml" or "ini"; "python" for
    another module, "args" and "env" for what only a launch sets; empty where it is not known. `value` is what
    the file holds, None as long as nobody has read it.
    """

    path: str | None
    format: str
    keys: tuple[str, ...]
    value: int | float | None
    why: str
    chain: tuple[str, ...] = ()
    argument_index: int | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """No edit can be made: `reason` says why and what to do, `candidates` where the number may stand."""

    reason: str
    candidates: tuple[Literal, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """The script has no such number at all."""

    reason: str


Answer = Located | External | Uncertain | Missing
