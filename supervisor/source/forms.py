"""The forms in which a script may write a size down, each a small function over one kind of node.

A form answers with sites: a name, and the expression bound to it. Whether a site is the batch size, and
whether it is the one that training uses, is decided elsewhere (`flow.py`, `locate.py`).
A new form is a function here and a line in `FORMS`.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from supervisor.source.names import Purpose, purpose_of
from supervisor.source.values import callee, keyword, last_name, text_of


class Form(StrEnum):
    """How a size is written down."""

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


# Forms that a lookup by attribute or by key may end at.
MEMBERS = frozenset({Form.CLASS_ATTRIBUTE, Form.FIELD, Form.ATTRIBUTE, Form.ENTRY, Form.OPTION})
_NAMESPACES = frozenset({"dict", "Namespace", "SimpleNamespace", "EasyDict", "AttrDict", "Box", "DotMap"})
# The owner of every option: what the variable that they are read from is made by.
PARSED = "parse_args"


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A module, class or function; compared by identity, since two functions may share a name."""

    kind: str
    name: str
    parent: "Scope | None" = None
    fields: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its scope, whether it may not run, what it is for, what it is assigned to."""

    scope: Scope
    conditional: bool = False
    purpose: Purpose | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A name and what is bound to it; `value` is None where that is not an expression of its own.

    `owner` is the class, dict or function that the name belongs to, `position` that of a parameter.
    """

    name: str
    form: Form
    value: ast.expr | None
    line: int
    place: Place
    owner: str = ""
    position: int | None = None


def assignment(node: ast.AST, place: Place) -> Iterator[Site]:
    """`BATCH = 64`, `BATCH: int = 64`, `BATCH, LR = 64, 1e-3`, `cfg["bs"] = 64`."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _bound(target, node.value, place)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _bound(node.target, node.value, place)


def rebinding(node: ast.AST, place: Place) -> Iterator[Site]:
    """`BATCH *= 2`, `for bs in …`, `with … as bs`, `import bs`: bound to what is not in sight."""
    if isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.comprehension):
        yield from _bound(node.target, None, place)
    elif isinstance(node, ast.Lambda):
        for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            yield Site(item.arg, _variable(place), None, item.lineno, place)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for managed in node.items:
            if managed.optional_vars is not None:
                yield from _bound(managed.optional_vars, None, place)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            name = (alias.asname or alias.name).partition(".")[0]
            yield Site(name, _variable(place), None, node.lineno, place)


def entries(node: ast.AST, place: Place) -> Iterator[Site]:
    """`{"batch_size": 64}`, `dict(batch_size=64)`, `Namespace(batch_size=64)`."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = text_of(key)
            if name is not None:
                yield Site(name, Form.ENTRY, value, value.lineno, place, place.owner)
    elif isinstance(node, ast.Call) and callee(node) in _NAMESPACES:
        yield from _named(node, place, place.owner)
    elif isinstance(node, ast.Call) and callee(node) == "set_defaults":
        yield from _named(node, place, PARSED)


def option(node: ast.AST, place: Place) -> Iterator[Site]:
    """`add_argument("--batch-size", default=64)`, `@click.option("--batch-size", default=64)`."""
    if not isinstance(node, ast.Call):
        return
    name = option_name(node)
    default = keyword(node, "default")
    if name and default is not None:
        yield Site(name, Form.OPTION, default, default.lineno, place, PARSED)


def parameters(node: ast.AST, place: Place) -> Iterator[Site]:
    """`def train(batch_size=64)`, typer's `def main(batch_size: int = typer.Option(64))`."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    spec = node.args
    ordered = [*spec.posonlyargs, *spec.args]
    method = place.scope.parent is not None and place.scope.parent.kind == "class"
    skipped = 1 if method and ordered and ordered[0].arg in {"self", "cls"} else 0
    padded = [None] * (len(ordered) - len(spec.defaults)) + [*spec.defaults]
    owner = node.name
    if owner == "__init__" and place.scope.parent is not None:
        owner = place.scope.parent.name
    for index, (item, default) in enumerate(zip(ordered, padded, strict=True)):
        yield Site(item.arg, Form.PARAMETER, default, item.lineno, place, owner, index - skipped)
    for item, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        yield Site(item.arg, Form.PARAMETER, default, item.lineno, place, owner)


FORMS: dict[type[ast.AST], tuple[Callable[[ast.AST, Place], Iterator[Site]], ...]] = {
    ast.Assign: (assignment,),
    ast.AnnAssign: (assignment,),
    ast.NamedExpr: (assignment,),
    ast.AugAssign: (rebinding,),
    ast.For: (rebinding,),
    ast.AsyncFor: (rebinding,),
    ast.comprehension: (rebinding,),
    ast.Lambda: (rebinding,),
    ast.With: (rebinding,),
    ast.AsyncWith: (rebinding,),
    ast.Import: (rebinding,),
    ast.ImportFrom: (rebinding,),
    ast.Dict: (entries,),
    ast.Call: (entries, option),
    ast.FunctionDef: (parameters,),
    ast.AsyncFunctionDef: (parameters,),
}


def option_flags(call: ast.Call) -> tuple[str, ...]:
    """The option strings that a call declares: `("-b", "--batch-size")`; empty for any other call."""
    if callee(call) not in {"add_argument", "option", "Option"}:
        return ()
    texts = (text_of(item) for item in call.args)
    return tuple(text for text in texts if text is not None and text.startswith("-"))


def option_name(call: ast.Call) -> str:
    """The name under which an option's value is found afterwards; empty where the call declares none."""
    flags = option_flags(call)
    if not flags:
        return ""
    explicit = text_of(keyword(call, "dest")) or next(
        (text for item in call.args if (text := text_of(item)) and text.isidentifier()), None
    )
    long = next((flag for flag in flags if flag.startswith("--")), flags[0])
    return explicit or long.lstrip("-").replace("-", "_")


def paired(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """`a, b = 1, 2` as its two assignments; anything else as the one that it is."""
    if (
        isinstance(target, ast.Tuple | ast.List)
        and isinstance(value, ast.Tuple | ast.List)
        and len(target.elts) == len(value.elts)
        and not any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts))
    ):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _named(call: ast.Call, place: Place, owner: str) -> Iterator[Site]:
    for item in call.keywords:
        if item.arg is not None:
            yield Site(item.arg, Form.ENTRY, item.value, item.value.lineno, place, owner)


def _bound(target: ast.expr, value: ast.expr | None, place: Place) -> Iterator[Site]:
    if value is not None and len(pairs := paired(target, value)) > 1:
        for left, right in pairs:
            yield from _bound(left, right, place)
        return
    if isinstance(target, ast.Name):
        form, owner = _variable(place), place.scope.name if place.scope.kind == "class" else ""
        yield Site(target.id, form, value, target.lineno, place, owner)
    elif isinstance(target, ast.Attribute):
        yield Site(target.attr, Form.ATTRIBUTE, value, target.lineno, place, _owner(target.value, place))
    elif isinstance(target, ast.Subscript):
        name = text_of(target.slice)
        if name is not None:
            yield Site(name, Form.ENTRY, value, target.lineno, place, _owner(target.value, place))
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _bound(item, None, place)
    elif isinstance(target, ast.Starred):
        yield from _bound(target.value, None, place)


def _variable(place: Place) -> Form:
    if place.scope.kind == "class":
        return Form.FIELD if place.scope.fields else Form.CLASS_ATTRIBUTE
    return Form.CONSTANT if place.scope.kind == "module" else Form.LOCAL


def _owner(base: ast.expr, place: Place) -> str:
    """The class of `self`, or the variable whose attribute or entry it is."""
    name = last_name(base)
    if name not in {"self", "cls"}:
        return name
    return class_of(place.scope)


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
