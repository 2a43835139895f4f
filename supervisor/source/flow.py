"""Where the size that a call is given comes from: names, attributes and keys followed back to literals.

The walk is short of a real data flow on purpose: whatever it cannot follow it marks `computed` or
`unknown`, and the caller then refuses to edit rather than guess.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from supervisor.source.forms import PARSED, Form, Place, Scope, Site, class_of
from supervisor.source.index import Index, bindings
from supervisor.source.names import Purpose
from supervisor.source.values import callee, fold, keyword, last_name, size_of, text_of, unwrap

# Follows more steps than any script has between a constant and its loader, and ends on the others.
_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """A literal that a traced expression may have its value from."""

    node: ast.expr
    site: Site
    form: str
    value: int


@dataclass(slots=True)
class Trace:
    """All origins of some expressions. `computed`: the value is worked out on the way, or bound to what
    is not in sight; `unknown`: a name has no binding in this file."""

    origins: list[Origin] = field(default_factory=list)
    computed: bool = False
    unknown: bool = False

    @property
    def certain(self) -> bool:
        """Whether the value is exactly what one literal says."""
        return len(self.origins) == 1 and not self.computed and not self.unknown


def trace(found: Index, starts: Iterable[Site]) -> Trace:
    """Follow each start's value back to the literals that it may come from."""
    result = Trace()
    work = list(starts)[::-1]
    visited: set[tuple[int, int]] = set()
    while work:
        site = work.pop()
        if site.value is None:
            result.computed = True
            continue
        node, how = unwrap(site.value)
        # The node alone is not enough: a default is read in the scope around its function.
        key = (id(node), id(site.place.scope))
        if key in visited:
            continue
        visited.add(key)
        if len(visited) > _MOST_STEPS:
            result.computed = True
            break
        value = size_of(node)
        if value is not None:
            if all(origin.node is not node for origin in result.origins):
                result.origins.append(Origin(node, site, how or site.form, value))
            continue
        work.extend(reversed(_steps(node, site, found, result)))
    return result


def stands_for(found: Index, site: Site) -> list[Site] | None:
    """The bindings that a site's value, a name, attribute or key, may stand for.

    None for any other expression; empty where nothing in the script binds it.
    """
    sites = _looked_up(site.value, site, found) if site.value is not None else None
    return None if sites is None else [step for item in sites for step in _values(item, found)]


def _steps(node: ast.expr, site: Site, found: Index, result: Trace) -> list[Site]:
    sites = _looked_up(node, site, found)
    if sites is not None:
        result.unknown |= not sites
        return [step for item in sites for step in _values(item, found)]
    result.computed = True
    return [Site(site.name, site.form, part, site.line, site.place, site.owner) for part in _parts(node)]


def _looked_up(node: ast.expr, site: Site, found: Index) -> list[Site] | None:
    scope = site.place.scope
    if isinstance(node, ast.Name):
        return effective(bindings(found, node.id, scope), found)
    member = _member(node)
    return _owned(found, *member, scope) if member is not None else None


def effective(sites: list[Site], found: Index) -> list[Site]:
    """The bindings that may still hold: an unconditional last one wins, unless the name is read before it."""
    if len(sites) < 2:  # noqa: PLR2004 - nothing to choose from
        return sites
    first, last = sites[0], sites[-1]
    read = any(first.line < line <= last.line for line in found.loads.get(last.name, ()))
    return sites if last.place.conditional or last.value is None or read else [last]


def _member(node: ast.expr) -> tuple[ast.expr, str] | None:
    """The base and the name of `args.batch_size`, `cfg["batch_size"]`, `cfg.get("batch_size", …)`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Subscript):
        name = text_of(node.slice)
        return (node.value, name) if name is not None else None
    if isinstance(node, ast.Call) and callee(node) == "get" and len(node.args) == 1:
        name = text_of(node.args[0])
        if name is not None and isinstance(node.func, ast.Attribute):
            return node.func.value, name
    return None


def _owned(found: Index, base: ast.expr, name: str, scope: Scope) -> list[Site]:
    """The members of that name that belong to the base; all of that name where none is known to."""
    members = found.members.get(name, [])
    owners = {last_name(base)}
    if owners & {"self", "cls"}:
        owners = {class_of(scope)}
    if isinstance(base, ast.Name):
        made = (item.value for item in bindings(found, base.id, scope))
        owners |= {callee(value) for value in made if isinstance(value, ast.Call)}
    if any(owner.startswith("parse_") for owner in owners):
        owners.add(PARSED)
    owned = [site for site in members if site.owner and site.owner in owners]
    return owned or members


def _values(site: Site, found: Index) -> Iterator[Site]:
    """What a binding may stand for: for a parameter or a field also what the calls pass."""
    if site.form not in {Form.PARAMETER, Form.FIELD}:
        yield site
        return
    omitted = not found.calls.get(site.owner)
    for call, place in found.calls.get(site.owner, ()):
        if place.purpose is Purpose.EVALUATION:
            continue
        opaque = any(item.arg is None for item in call.keywords) or any(
            isinstance(item, ast.Starred) for item in call.args
        )
        value = keyword(call, site.name) or _positional(call, site)
        if value is not None:
            yield Site(site.name, Form.KEYWORD, value, value.lineno, place)
        elif opaque:
            yield Site(site.name, Form.KEYWORD, None, call.lineno, place)
        else:
            omitted = True
    if omitted:
        # A default is worked out where the function is defined, not inside it.
        outer = site.place.scope.parent if site.form is Form.PARAMETER else None
        place = Place(outer, site.place.conditional, site.place.purpose) if outer else site.place
        yield Site(site.name, site.form, site.value, site.line, place, site.owner)


def _positional(call: ast.Call, site: Site) -> ast.expr | None:
    if site.position is None or site.position >= len(call.args):
        return None
    value = call.args[site.position]
    return None if isinstance(value, ast.Starred) else value


def _parts(node: ast.expr) -> list[ast.expr]:
    """The parts of a computed value that are worth naming as candidates."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    if isinstance(node, ast.BinOp):
        return [part for part in (node.left, node.right) if fold(part) is None]
    if isinstance(node, ast.Call):
        return [part for part in node.args if isinstance(part, ast.Name | ast.Attribute)]
    return []
