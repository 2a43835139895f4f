"""One pass over a syntax tree: the names bound in it, the calls made, and the sizes handed to them.

The walk keeps its own stack, so a script nested as deeply as the parser allows costs no recursion.
Code under `if False` and its like is not entered.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from supervisor.source.forms import (
    FORMS,
    MEMBERS,
    Form,
    Place,
    Scope,
    Site,
    option_flags,
    option_name,
    paired,
    purpose_within,
)
from supervisor.source.names import is_batch_size, is_loader
from supervisor.source.values import callee, identifiers, text_of

_SIZE_POSITION = 1  # DataLoader(dataset, 64)
# Any node: the walk looks at its type first, and then reads what that type has.
Step = tuple[Any, Place]
_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
# Nodes whose parts stand in other places than they do; `_children` knows where.
_SPECIAL = _SCOPES | {
    *(ast.If, ast.While, ast.For, ast.AsyncFor, ast.Try, ast.Match, ast.IfExp, ast.BoolOp),
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.Dict, ast.Call),
}
# Nodes without anything to find in them; they are half of a tree.
_LEAVES = frozenset({ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.alias}) | frozenset(
    kind for base in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop) for kind in base.__subclasses__()
)


@dataclass(frozen=True, slots=True)
class Use:
    """A batch size handed to a call: the expression, to what, and where."""

    name: str
    value: ast.expr
    callee: str
    line: int
    place: Place
    loader: bool


@dataclass(frozen=True, slots=True)
class Index:
    """What one pass found. `loads` holds the lines on which a name is read."""

    module: Scope
    sites: list[Site] = field(default_factory=list)
    variables: dict[tuple[Scope, str], list[Site]] = field(default_factory=lambda: defaultdict(list))
    members: dict[str, list[Site]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[tuple[ast.Call, Place]]] = field(default_factory=lambda: defaultdict(list))
    uses: list[Use] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=dict)
    loads: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    shared: dict[Scope, set[str]] = field(default_factory=lambda: defaultdict(set))


def index(tree: ast.Module) -> Index:
    """Walk the tree once, in the order of the source."""
    module = Scope("module", "")
    found = Index(module)
    work: list[Step] = [(tree, Place(module))]
    while work:
        node, place = work.pop()
        kind = type(node)
        if kind is ast.Name:
            # Read or bound, a name has no parts; most nodes are names, so this comes first.
            if type(node.ctx) is ast.Load:
                found.loads[node.id].append(node.lineno)
            continue
        inner = _inside(node, place) if kind in _SCOPES else place
        for form in FORMS.get(kind, ()):
            for site in form(node, inner):
                _file(site, found)
        if kind is ast.Call:
            _record_call(node, place, found)
        elif kind is ast.Global:
            found.shared[place.scope].update(node.names)
        if kind in _SPECIAL:
            work.extend(reversed(list(_children(node, place, inner))))
        else:
            work.extend([(part, place) for part in _parts(node)][::-1])
    return found


def bindings(found: Index, name: str, scope: Scope) -> list[Site]:
    """The sites that a name read in a scope may mean: the innermost scope that binds it, as Python looks."""
    start: Scope | None = scope
    while start is not None:
        visible = start is scope or start.kind != "class"
        if visible and name not in found.shared.get(start, ()):
            sites = found.variables.get((start, name))
            if sites:
                return sites
        start = start.parent
    return []


def _file(site: Site, found: Index) -> None:
    found.sites.append(site)
    if site.form in MEMBERS:
        found.members[site.name].append(site)
    if site.form not in {Form.ATTRIBUTE, Form.ENTRY, Form.OPTION}:
        scope = site.place.scope
        if site.name in found.shared.get(scope, ()):
            # A function that declares it global binds the module's name, whenever it happens to run.
            site = replace(site, place=replace(site.place, scope=found.module, conditional=True))
            scope = found.module
        found.variables[(scope, site.name)].append(site)


def _record_call(call: ast.Call, place: Place, found: Index) -> None:
    name = callee(call)
    found.calls[name].append((call, place))
    flags = option_flags(call)
    for flag in flags:
        found.flags[flag] = found.flags.get(flag, False) or is_batch_size(option_name(call))
    if name == "dict" or flags:
        return
    loader = is_loader(name)
    where = place
    if call.keywords or loader:
        data = identifiers(call.args[0]) if call.args else ""
        where = replace(place, purpose=purpose_within(place, data, name))
    given = any(item.arg is not None and is_batch_size(item.arg) for item in call.keywords)
    for item in call.keywords:
        if item.arg is not None and is_batch_size(item.arg):
            found.uses.append(Use(item.arg, item.value, name, item.value.lineno, where, loader))
        elif item.arg is None and loader and not given and isinstance(item.value, ast.Name):
            # DataLoader(ds, **options) reads what options["batch_size"] would. Beside a batch_size of
            # its own the options cannot hold another: Python refuses a keyword given twice.
            key = ast.copy_location(ast.Constant("batch_size"), item.value)
            entry = ast.copy_location(ast.Subscript(item.value, key, ast.Load()), item.value)
            found.uses.append(Use("batch_size", entry, name, item.value.lineno, where, loader))
    if name == "DataLoader" and len(call.args) > _SIZE_POSITION:
        value = call.args[_SIZE_POSITION]
        if not isinstance(value, ast.Starred):
            found.uses.append(Use("batch_size", value, name, value.lineno, where, loader))
    elif name == "batch" and isinstance(call.func, ast.Attribute) and len(call.args) == 1:
        purpose = purpose_within(place, identifiers(call.func.value))
        where = replace(place, purpose=purpose)
        found.uses.append(Use("batch", call.args[0], name, call.lineno, where, loader=True))


def _inside(node: ast.AST, place: Place) -> Place:
    """The place of a function's or a class's own statements; of any other node, its own place."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return Place(Scope("function", node.name, place.scope), purpose=purpose_within(place, node.name))
    if isinstance(node, ast.ClassDef):
        scope = Scope("class", node.name, place.scope, _has_fields(node))
        return Place(scope, purpose=purpose_within(place, node.name))
    return place


def _children(node: ast.AST, place: Place, inner: Place) -> Iterator[Step]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        outer = [node.args] if not isinstance(node, ast.ClassDef) else [*node.bases, *node.keywords]
        yield from ((part, place) for part in (*node.decorator_list, *outer))
        yield from ((part, inner) for part in node.body)
    elif isinstance(node, ast.If | ast.While):
        yield from _branches(node, place)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.Try | ast.Match | ast.IfExp | ast.BoolOp):
        maybe = replace(place, conditional=True)
        yield from ((part, maybe) for part in _parts(node))
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        yield from _assigned(node, place)
    elif isinstance(node, ast.Dict | ast.Call):
        yield from _named(node, place)


def _named(node: ast.Dict | ast.Call, place: Place) -> Iterator[Step]:
    """The values that stand under a name, of a key or a keyword, and a call's other parts."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if type(value) not in _LEAVES:
                name = text_of(key) or ""
                yield value, _toward(place, name, name or None)
    else:
        yield from ((part, place) for part in (node.func, *node.args) if type(part) not in _LEAVES)
        for item in node.keywords:
            if type(item.value) not in _LEAVES:
                yield item.value, _toward(place, item.arg or "")


def _parts(node: ast.AST) -> list[ast.AST]:
    parts: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            parts += [part for part in value if isinstance(part, ast.AST) and type(part) not in _LEAVES]
        elif isinstance(value, ast.AST) and type(value) not in _LEAVES:
            parts.append(value)
    return parts


def _toward(place: Place, name: str, owner: str | None = None) -> Place:
    """The place of what is bound to a name; the same one where the name changes nothing."""
    purpose, owner = purpose_within(place, name), place.owner if owner is None else owner
    if purpose is place.purpose and owner == place.owner:
        return place
    return Place(place.scope, place.conditional, purpose, owner)


def _branches(node: ast.If | ast.While, place: Place) -> Iterator[Step]:
    yield node.test, place
    maybe = replace(place, conditional=True)
    constant = node.test.value if isinstance(node.test, ast.Constant) else None
    known = isinstance(node.test, ast.Constant)
    if not known or constant:
        # What runs when the script runs as a script always runs here.
        certain = isinstance(node, ast.If) and (known or _is_main(node.test))
        yield from ((item, place if certain else maybe) for item in node.body)
    if not (known and constant and isinstance(node, ast.If)):
        yield from ((item, place if known else maybe) for item in node.orelse)


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and text_of(test.comparators[0]) == "__main__"
    )


def _assigned(node: ast.Assign | ast.AnnAssign | ast.NamedExpr, place: Place) -> Iterator[Step]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    yield from ((target, place) for target in targets)
    if node.value is None:
        return
    for target, value in paired(targets[0], node.value):
        name = identifiers(target)
        yield value, _toward(place, name, name)


def _has_fields(node: ast.ClassDef) -> bool:
    marks = [*node.decorator_list, *node.bases]
    return any("dataclass" in (name := identifiers(mark)) or name.endswith("BaseModel") for mark in marks)
