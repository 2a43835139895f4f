"""Where things stand in a script: scopes, the conditions around a statement, and names with their values."""

import ast
from dataclasses import dataclass
from enum import StrEnum

from supervisor.source.names import Purpose, purpose_of


class Form(StrEnum):
    """How a number is written down, or a name bound."""

    CONSTANT = "module constant"
    LOCAL = "local variable"
    CLASS_ATTRIBUTE = "class attribute"
    FIELD = "dataclass field"
    ATTRIBUTE = "attribute"
    ENTRY = "dict entry"
    OPTION = "option default"
    PARAMETER = "function default"
    KEYWORD = "keyword literal"
    ENVIRONMENT = "environment default"
    IMPORT = "import"


# Forms that a lookup by attribute or by key may end at.
MEMBERS = frozenset({Form.CLASS_ATTRIBUTE, Form.FIELD, Form.ATTRIBUTE, Form.ENTRY, Form.OPTION})


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A module, class or function; compared by identity, since two functions may share a name."""

    kind: str
    name: str
    parent: "Scope | None" = None
    fields: bool = False
    node: ast.AST | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A condition around a statement: it runs where `test` is `branch`; without a test nobody can know.

    `node` is the statement whose block it is; of two blocks of one statement only one may run.
    """

    node: ast.AST
    test: ast.expr | None = None
    branch: bool = True
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its scope, the conditions around it, what it is for, what it is assigned to."""

    scope: Scope
    guards: tuple[Guard, ...] = ()
    purpose: Purpose | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A name and what is bound to it; `value` is None where that is not an expression of its own.

    `owner` is the class, dict or function that the name belongs to, or the module that it is imported from;
    `position` that of a parameter; `flags` the option strings of an option, or the name
    that an import takes from its module; `stored` tells `cfg["bs"] = 64`
    from `cfg = {"bs": 64}`.
    """

    name: str
    form: Form
    value: ast.expr | None
    line: int
    place: Place
    owner: str = ""
    position: int | None = None
    flags: tuple[str, ...] = ()
    stored: bool = False


def class_of(scope: Scope | None) -> str:
    """The name of the innermost class around a scope, or empty."""
    while scope is not None and scope.kind != "class":
        scope = scope.parent
    return scope.name if scope is not None else ""


def purpose_within(place: Place, *names: str) -> Purpose | None:
    """What the nearest name that says anything says; the surroundings where none does."""
    for name in names:
        found = purpose_of(name)
        if found is not None:
            return found
    return place.purpose
