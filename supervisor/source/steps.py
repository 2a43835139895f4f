"""The vocabulary of following a value: a step, where following ends, and who does it."""

import ast
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from supervisor.source.index import Definition, Index
from supervisor.source.places import Place, Site

# A name, or an index.
Member = str | int


class Kind(StrEnum):
    """Why a value is followed no further."""

    EXPRESSION = "an expression that stands for itself"
    DEFINITION = "a function or a class"
    INSTANCE = "self, of a class"
    OPAQUE = "bound to what is not in sight"
    UNBOUND = "bound nowhere in the script"
    IMPORTED = "imported from another module"
    UNPASSED = "a parameter that nobody in the script passes"
    REQUIRED = "an option that must be given"
    GIVEN = "an option that is given"
    FILE = "read from a file"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An expression read at a place, the binding whose value it is, and the step before it."""

    node: ast.expr
    place: Place
    site: Site | None = None
    before: "Step | None" = None


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that the script reads: its path's expression, or the path itself, and its format.

    `flags` are those of an option that names the file.
    """

    path: ast.expr | None
    format: str
    fixed: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """Where following ended. `keys` are what was asked of an import or a file, from the outside in."""

    kind: Kind
    step: Step
    definition: Definition | None = None
    keys: tuple[str, ...] = ()
    file: ReadFile | None = None


class Search(Protocol):
    """What the parts of the search ask of each other."""

    found: Index
    args: tuple[str, ...]

    def resolve(self, step: Step) -> list[End]:
        """Where the value of an expression comes from, as far as it can be followed."""
        ...

    def member(self, base: ast.expr, name: Member, step: Step, *, guess: bool) -> list[End]:
        """The same for a member of a base; with `guess` also by its name alone."""
        ...

    def end_of(self, site: Site, before: Step | None) -> list[End]:
        """The same for what a site binds."""
        ...

    def returned(self, function: Definition, before: Step) -> list[End]:
        """Where the value of a call of the function comes from."""
        ...

    def truth(self, test: ast.expr, place: Place) -> bool | None:
        """Whether a condition holds in this run; None where the script does not tell."""
        ...

    def live(self, site: Site) -> tuple[bool, bool]:
        """Whether a site may run at all, and whether it certainly does."""
        ...


def aliases(end: End, since: Step | None = None) -> set[str]:
    """The names by which an object went on the way to where it was made, from the step after `since` on."""
    names: set[str] = set()
    step: Step | None = end.step
    while step is not None and step is not since:
        if step.site is not None:
            names.add(step.site.name)
        if isinstance(step.node, ast.Name):
            names.add(step.node.id)
        elif isinstance(step.node, ast.Attribute):
            names.add(step.node.attr)
        step = step.before
    return names
