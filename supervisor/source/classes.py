"""What a class's own code says of a member: a field, an attribute, a property, or what it inherits."""

import ast
from collections.abc import Iterator

from supervisor.source.index import Definition, bindings
from supervisor.source.places import Form, Site
from supervisor.source.steps import End, Kind, Search, Step
from supervisor.source.stores import reads_itself
from supervisor.source.values import keyword, last_name

# Parameters that stand for all hyperparameters at once.
_WHOLE = frozenset({"hparams", "config", "cfg", "args", "params", "opt", "hyperparameters"})


def class_member(
    search: Search, definition: Definition, name: str, step: Step, call: ast.Call | None = None
) -> list[End]:
    """Where the value of a class's member comes from; of what `call` makes, if that is known."""
    return _member(search, definition, name, step, call=call, seen=set())


def of_init(search: Search, definition: Definition, name: str, step: Step) -> list[End]:
    """Lightning's `self.hparams.batch_size` is the parameter of `__init__` of that name."""
    for part in definition.node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            place = search.found.inner(part, definition.inner)
            sites = [
                site for site in bindings(search.found, name, place.scope) if site.form is Form.PARAMETER
            ]
            if sites:
                return [end for site in sites for end in search.end_of(site, step)]
            for item in part.args.args:
                if item.arg in _WHOLE:
                    whole = ast.copy_location(ast.Name(item.arg, ast.Load()), part.body[0])
                    return search.member(whole, name, Step(whole, place, None, step), guess=True)
    return []


def _member(
    search: Search, definition: Definition, name: str, step: Step, *, call: ast.Call | None, seen: set[int]
) -> list[End]:
    node, inner = definition.node, definition.inner
    if not isinstance(node, ast.ClassDef) or id(node) in seen:
        return []
    seen.add(id(node))
    if name == "hparams":
        return [End(Kind.INSTANCE, step, definition, ("hparams",))]
    sites = [site for site in search.found.members_named(name) if site.owner == node.name]
    own = [site for site in sites if site.place.scope is inner.scope]
    found: list[End] = []
    if inner.scope.fields and (own or call is not None):
        found = _passed_field(search, node, name, step, call)
    found = found or _attributes(search, own, [site for site in sites if site.stored], step)
    found = found or _property(search, definition, name, step)
    for other in _related(search, node, call) if not found else ():
        found = found or _member(search, other, name, step, call=call, seen=seen)
    return found


def _passed_field(
    search: Search, node: ast.ClassDef, name: str, step: Step, call: ast.Call | None
) -> list[End]:
    """A field as the making call passes it; where that call is not known, as all calls do, if they do."""
    calls = [(call, step.place)] if call is not None else search.found.calls_to(node.name)
    found: list[End] = []
    for made, place in calls:
        value = keyword(made, name) or _by_position(node, made, name)
        if value is None:
            return []
        site = Site(name, Form.KEYWORD, value, value.lineno, place)
        found += search.resolve(Step(value, place, site, step))
    return found


def _attributes(search: Search, own: list[Site], stored: list[Site], step: Step) -> list[End]:
    """Attributes of the class and of its methods; one that `__init__` always sets hides the others."""
    live = [site for site in stored if search.live(site)[0]]
    hidden = any(
        search.live(site)[1] and site.place.scope.name == "__init__" and not reads_itself(site)
        for site in live
    )
    return [end for site in (live if hidden else [*own, *live]) for end in search.end_of(site, step)]


def _property(search: Search, definition: Definition, name: str, step: Step) -> list[End]:
    for part in definition.node.body:
        if isinstance(part, ast.FunctionDef) and part.name == name and part.decorator_list:
            place = search.found.inner(part, definition.inner)
            return search.returned(Definition(part, definition.inner, place), step)
    return []


def _related(search: Search, node: ast.ClassDef, call: ast.Call | None) -> Iterator[Definition]:
    """The class's bases; of `self`, which may be anything that inherits from it, those classes too."""
    for base in node.bases:
        yield from (item for item in search.found.defined(last_name(base)) if item.node is not node)
    if call is None:
        search.found.ask(node.name)
        for item in [item for items in search.found.definitions.values() for item in items]:
            if isinstance(item.node, ast.ClassDef) and node.name in map(last_name, item.node.bases):
                yield item


def _by_position(node: ast.ClassDef, call: ast.Call, name: str) -> ast.expr | None:
    annotated = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
    fields = [target.id for target in annotated if isinstance(target, ast.Name)]
    at = fields.index(name) if name in fields else len(call.args)
    if at >= len(call.args) or any(isinstance(item, ast.Starred) for item in call.args[: at + 1]):
        return None
    return call.args[at]
