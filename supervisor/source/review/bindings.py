"""What a name, an attribute or a key may be bound to, anywhere in a script. Pure.

More bindings are found than may hold at one moment, never fewer: a rule finds fault only where every one of
them is at fault. What cannot be followed is None.
"""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Bound, Call, Facts
from supervisor.source.review.statements import FUNCTIONS, Function, Statement
from supervisor.source.values import callee, keyword, text_of

_OPTIONS = frozenset({"add_argument", "option", "Option"})
_NAMESPACES = frozenset(
    {"dict", "Namespace", "SimpleNamespace", "EasyDict", "AttrDict", "Box", "set_defaults"}
)


def bound_to(facts: Facts, node: ast.expr, at: Statement) -> list[Bound] | None:
    """What a name, `a.b`, `a["b"]` or `a.get("b")` may be bound to; None for any other expression.

    Empty where nothing in the script binds it.
    """
    if isinstance(node, ast.Name):
        return bindings_of(facts, node.id, at)
    name = _member(node)
    return None if name is None else _members(facts, name)


def bindings_of(facts: Facts, name: str, at: Statement) -> list[Bound]:
    """The bindings of a name that is read in a statement: those of the innermost scope that has any."""
    found = facts.looked.names.get(name)
    if found is None:
        found = facts.looked.names[name] = _by_scope(facts, name)
    scopes = [item for item in at.parents if isinstance(item, (*FUNCTIONS, ast.ClassDef))]
    for around in reversed(scopes):
        # A class's names are not seen from its methods.
        seen = around is scopes[-1] or not isinstance(around, ast.ClassDef)
        if seen and id(around) in found:
            return found[id(around)]
    return found.get(0, [])


def _by_scope(facts: Facts, name: str) -> dict[int, list[Bound]]:
    found: dict[int, list[Bound]] = {}
    for statement in facts.near(name):
        for scope, bound in _binds(facts, name, statement):
            found.setdefault(scope, []).append(bound)
    return found


def _binds(facts: Facts, name: str, statement: Statement) -> Iterator[tuple[int, Bound]]:
    """The scope, by its identity (0 for the module), and the value of each binding in a statement."""
    node, scope = statement.node, statement.scope
    here = id(scope) if scope is not None else 0
    if isinstance(node, FUNCTIONS):
        yield from ((id(node), bound) for bound in _parameter(facts, name, node, statement))
    if isinstance(node, ast.Global | ast.Nonlocal) and name in node.names:
        # Whenever that function happens to run: anything may be bound then.
        yield from ((where, Bound(None, statement)) for where in (0, here))
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name:
        yield here, Bound(None, statement)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        if name in names:
            yield here, Bound(None, statement)
    written = dict(assigned(node))
    for part in statement.nodes():
        if isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load):
            yield here, Bound(written.get(part), statement)
        elif isinstance(part, ast.Lambda) and any(item.arg == name for item in _arguments(part.args)):
            yield here, Bound(None, statement)


def assigned(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr]]:
    """Each target of an assignment with its own value, where it has one."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        yield target, node.value
        parts = (target, node.value)
        if all(isinstance(item, ast.Tuple | ast.List) for item in parts):
            left, right = (item.elts for item in parts if isinstance(item, ast.Tuple | ast.List))
            if len(left) == len(right) and not any(isinstance(item, ast.Starred) for item in (*left, *right)):
                yield from zip(left, right, strict=True)


def _parameter(facts: Facts, name: str, node: Function, statement: Statement) -> list[Bound]:
    """What a function's calls pass under a parameter, and its default where one of them passes nothing."""
    ordered = [*node.args.posonlyargs, *node.args.args]
    padded = [None] * (len(ordered) - len(node.args.defaults)) + list(node.args.defaults)
    only_named = dict(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    defaults = {item.arg: value for item, value in [*zip(ordered, padded, strict=True), *only_named.items()]}
    if name not in defaults:
        rest = (node.args.vararg, node.args.kwarg)
        return [Bound(None, statement)] if any(item and item.arg == name for item in rest) else []
    names = [item.arg for item in ordered]
    position = names.index(name) if name in names else None
    method = isinstance(statement.scope, ast.ClassDef)
    if position is not None and method and names[0] in {"self", "cls"}:
        position -= 1
    owner = (
        statement.scope.name
        if node.name == "__init__" and isinstance(statement.scope, ast.ClassDef)
        else node.name
    )
    calls = facts.calls(owner)
    found = [_passed(call, name, position) for call in calls]
    default = Bound(defaults[name], statement)
    # A decorator may call it with what it likes.
    unseen = [Bound(None, statement)] if node.decorator_list else []
    return [*unseen, *(item or default for item in found)] or [default]


def _passed(call: Call, name: str, position: int | None) -> Bound | None:
    """What a call passes, None where it leaves the default."""
    value = keyword(call.node, name)
    if value is None and position is not None and position < len(call.node.args):
        value = call.node.args[position]
    opaque = any(item.arg is None for item in call.node.keywords) or any(
        isinstance(item, ast.Starred) for item in call.node.args
    )
    if value is None and not opaque:
        return None
    return Bound(None if isinstance(value, ast.Starred) else value, call.at)


def _member(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return text_of(node.slice)
    if isinstance(node, ast.Call) and callee(node) == "get" and len(node.args) == 1 and not node.keywords:
        return text_of(node.args[0])
    return None


def _members(facts: Facts, name: str) -> list[Bound]:
    """Whatever of that name belongs to an object, a class, a dict or a command line."""
    found = facts.looked.members.get(name)
    if found is not None:
        return found
    found = facts.looked.members[name] = []
    for statement in facts.near(name, name.replace("_", "-")):
        written = dict(assigned(statement.node))
        for part in statement.nodes():
            found += _member_bindings(facts, name, part, statement, written)
    return found


def _member_bindings(
    facts: Facts, name: str, part: ast.AST, statement: Statement, written: dict[ast.AST, ast.expr]
) -> Iterator[Bound]:
    stored = not isinstance(getattr(part, "ctx", None), ast.Load | None)
    if isinstance(part, ast.Attribute | ast.Subscript) and stored and _member(part) == name:
        yield Bound(written.get(part), statement)
    elif (
        isinstance(part, ast.Name)
        and stored
        and part.id == name
        and isinstance(statement.scope, ast.ClassDef)
    ):
        yield Bound(written.get(part), statement)
        yield from _given_by_position(facts, statement)
    elif isinstance(part, ast.Dict):
        yield from (
            Bound(value, statement)
            for key, value in zip(part.keys, part.values, strict=True)
            if text_of(key) == name
        )
    elif isinstance(part, ast.Call):
        called = callee(part)
        value = keyword(part, name)
        if value is not None and (called in _NAMESPACES or called in facts.classes):
            yield Bound(value, statement)
        elif called in _OPTIONS and name in _option_names(part):
            flags = [text for item in part.args if (text := text_of(item)) and text.startswith("-")]
            given = any(item.partition("=")[0] in flags for item in facts.args)
            yield Bound(None if given else keyword(part, "default"), statement)


def _given_by_position(facts: Facts, statement: Statement) -> list[Bound]:
    """A field of a class that is made with values by position may be any of them."""
    if not isinstance(statement.node, ast.AnnAssign) or not isinstance(statement.scope, ast.ClassDef):
        return []
    calls = facts.calls(statement.scope.name)
    opaque = [
        call for call in calls if call.node.args or any(item.arg is None for item in call.node.keywords)
    ]
    return [Bound(None, call.at) for call in opaque]


def _option_names(call: ast.Call) -> set[str]:
    names = {text_of(keyword(call, "dest"))} | {text_of(item) for item in call.args}
    return {name.lstrip("-").replace("-", "_") for name in names if name}


def _arguments(spec: ast.arguments) -> list[ast.arg]:
    rest = [item for item in (spec.vararg, spec.kwarg) if item is not None]
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *rest]
