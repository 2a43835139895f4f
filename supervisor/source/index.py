"""One pass over a syntax tree: the names bound in it, the calls made, and the sizes handed to them.

The walk keeps its own stack, so a script nested as deeply as the parser allows costs no recursion.
Code under `if False` and its like is not entered.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

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
Step = tuple[ast.AST, Place]


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
        inner = _inside(node, place)
        _record(node, place, inner, found)
        work.extend(reversed(list(_children(node, place, inner))))
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


def _record(node: ast.AST, place: Place, inner: Place, found: Index) -> None:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            found.loads[node.id].append(node.lineno)
        return
    if isinstance(node, ast.Global):
        found.shared[place.scope].update(node.names)
    for form in FORMS.get(type(node), ()):
        for site in form(node, inner):
            _file(site, found)
    if isinstance(node, ast.Call):
        _record_call(node, place, found)


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
    for flag in option_flags(call):
        found.flags[flag] = found.flags.get(flag, False) or is_batch_size(option_name(call))
    if name == "dict" or option_flags(call):
        return
    loader = is_loader(name)
    purpose = purpose_within(place, identifiers(call.args[0]) if call.args else "", name)
    where = replace(place, purpose=purpose)
    for item in call.keywords:
        if item.arg is not None and is_batch_size(item.arg):
            found.uses.append(Use(item.arg, item.value, name, item.value.lineno, where, loader))
        elif item.arg is None and loader and isinstance(item.value, ast.Name):
            # DataLoader(ds, **options) reads what options["batch_size"] would.
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
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from ((item, place) for item in node.decorator_list)
        yield from ((item, place) for item in ast.iter_child_nodes(node.args))
        yield from ((item, inner) for item in node.body)
    elif isinstance(node, ast.ClassDef):
        yield from ((item, place) for item in (*node.decorator_list, *node.bases, *node.keywords))
        yield from ((item, inner) for item in node.body)
    elif isinstance(node, ast.If | ast.While):
        yield from _branches(node, place)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.Try | ast.Match | ast.IfExp | ast.BoolOp):
        yield from ((item, replace(place, conditional=True)) for item in ast.iter_child_nodes(node))
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        yield from _assigned(node, place)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = text_of(key) or ""
            yield value, replace(place, purpose=purpose_within(place, name), owner=name or place.owner)
    elif isinstance(node, ast.Call):
        yield node.func, place
        yield from ((item, place) for item in node.args)
        for item in node.keywords:
            yield item.value, replace(place, purpose=purpose_within(place, item.arg or ""))
    else:
        yield from ((item, place) for item in ast.iter_child_nodes(node))


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
        yield value, replace(place, purpose=purpose_within(place, name), owner=name)


def _has_fields(node: ast.ClassDef) -> bool:
    marks = [*node.decorator_list, *node.bases]
    return any("dataclass" in (name := identifiers(mark)) or name.endswith("BaseModel") for mark in marks)
