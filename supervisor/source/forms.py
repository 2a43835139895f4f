"""The forms in which a script may write a size down, each a small function over one kind of node.

A form answers with sites: a name, and the expression bound to it. Whether a site is the batch size, and
whether it is the one that training uses, is decided elsewhere (`by_use.py`, `by_name.py`).
A new form is a function here and a line in `FORMS`.
"""

import ast
from collections.abc import Callable, Iterator
from copy import copy

from supervisor.source.options import option
from supervisor.source.places import MEMBERS, Form, Guard, Place, Scope, Site, class_of, purpose_within
from supervisor.source.values import callee, last_name, text_of

# What the rest of the package reads from here.
__all__ = [
    "FORMS",
    "MEMBERS",
    "Form",
    "Guard",
    "Place",
    "Scope",
    "Site",
    "class_of",
    "paired",
    "purpose_within",
]

_NAMESPACES = frozenset(
    {"dict", "Namespace", "SimpleNamespace", "EasyDict", "AttrDict", "Box", "DotMap", "Dict"}
    | {"Munch", "ConfigDict", "edict", "HParams", "OrderedDict", "namedtuple"}
)


def assignment(node: ast.AST, place: Place) -> Iterator[Site]:
    """`BATCH = 64`, `BATCH: int = 64`, `BATCH, LR = 64, 1e-3`, `cfg["bs"] = 64`."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _bound(target, node.value, place)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _bound(node.target, node.value, place)


def rebinding(node: ast.AST, place: Place) -> Iterator[Site]:
    """`BATCH *= 2`, `for bs in …`, `with … as bs`, `import bs`: bound to what is not in sight."""
    if isinstance(node, ast.AugAssign):
        yield from _bound(node.target, _augmented(node), place)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield from _bound(node.target, None, place)
    elif isinstance(node, ast.Lambda):
        for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            yield Site(item.arg, _variable(place), None, item.lineno, place)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for managed in node.items:
            if managed.optional_vars is not None:
                yield from _bound(managed.optional_vars, managed.context_expr, place)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            name = (alias.asname or alias.name).partition(".")[0]
            module = getattr(node, "module", None) or alias.name
            imported = (alias.name,) if isinstance(node, ast.ImportFrom) else ()
            yield Site(name, Form.IMPORT, None, node.lineno, place, module, None, imported)


def _augmented(node: ast.AugAssign) -> ast.expr | None:
    """`bs //= world_size` as `bs // world_size`; a value of its own where the factor is a number."""
    if isinstance(node.value, ast.Constant) or not isinstance(node.target, ast.Name | ast.Attribute):
        return None
    read = ast.copy_location(copy(node.target), node.target)
    read.ctx = ast.Load()
    return ast.copy_location(ast.BinOp(read, node.op, node.value), node)


def entries(node: ast.AST, place: Place) -> Iterator[Site]:
    """`{"batch_size": 64}`, `dict(batch_size=64)`, `Namespace(batch_size=64)`."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = text_of(key)
            if name is not None:
                yield Site(name, Form.ENTRY, value, value.lineno, place, place.owner)
    elif isinstance(node, ast.Call) and callee(node) in _NAMESPACES:
        yield from _named(node, place, place.owner)


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
        yield Site(
            target.attr, Form.ATTRIBUTE, value, target.lineno, place, _owner(target.value, place), stored=True
        )
    elif isinstance(target, ast.Subscript):
        name = text_of(target.slice)
        if name is not None:
            yield Site(
                name, Form.ENTRY, value, target.lineno, place, _owner(target.value, place), stored=True
            )
    elif isinstance(target, ast.Tuple | ast.List):
        yield from _unpacked(target, value, place)
    elif isinstance(target, ast.Starred):
        yield from _bound(target.value, None, place)


def _unpacked(target: ast.Tuple | ast.List, value: ast.expr | None, place: Place) -> Iterator[Site]:
    """`a, b = f()`: each name is bound to an element of what the call answers with."""
    starred = any(isinstance(item, ast.Starred) for item in target.elts)
    for at, item in enumerate(target.elts):
        part = None
        if value is not None and not starred:
            part = ast.copy_location(ast.Subscript(value, ast.Constant(at), ast.Load()), value)
        yield from _bound(item, part, place)


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
