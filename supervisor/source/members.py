"""What `base.name`, `base["name"]` and `base.get("name")` may be, by how the base was made and written to."""

import ast

from supervisor.source.making import made, of_dataclasses
from supervisor.source.places import Site
from supervisor.source.steps import End, Kind, Member, Search, Step, aliases
from supervisor.source.stores import latest, only_sometimes, overwritten
from supervisor.source.values import callee, keyword, last_name, text_of

_GETTING_OPTIONS = frozenset({"get", "getint", "getfloat", "getboolean"})
_MOST_BASES = 12


def member_of(node: ast.expr) -> tuple[ast.expr, Member] | None:
    """The base and the name of `a.batch_size`, `c["batch_size"]`, `c.get("batch_size", …)`, `sizes[0]`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return (node.value, key) if type(key) is str or type(key) is int else None
    return _got(node) if isinstance(node, ast.Call) else None


def member_values(search: Search, base: ast.expr, name: Member, step: Step, *, guess: bool) -> list[End]:
    """Where the value of a member comes from; with `guess` by its name alone where nothing better is."""
    bases = search.resolve(Step(base, step.place, None, step))[:_MOST_BASES]
    if isinstance(name, int):
        return _elements(search, bases, name, step)
    members = search.found.members_named(name)
    owners = {last_name(base)}.union(*(aliases(end, step) for end in bases)) - {"", "self", "cls"}
    values = [made(search, end, name, step) for end in bases]
    known = any(value is not None for value in values)
    original = [end for value in values for end in value or ()]
    written = [site for site in members if site.stored and site.owner in owners and not _is_self(site)]
    outside = [end for end in bases if end.kind in {Kind.IMPORTED, Kind.FILE}]
    if not known and only_sometimes(search, written):
        # What it has where nothing is stored.
        others = [site for site in members if site not in written] if guess else []
        original = [_deeper(end, name, step) for end in outside]
        original = original or _by_owner(search, base, others, step, bases)
    shared = any(end.kind is Kind.DEFINITION for end in bases)
    found = latest(search, original, written, step, replaces=not shared)
    if known or found:
        found += overwritten(search, owners, name, step, written)
    if found or (name == "config" and (found := _of_run(search, bases, step))):
        return found
    if outside:
        return [_deeper(end, name, step) for end in outside]
    default = _default_of(search, step)
    if default is not None or not guess:
        return default or []
    return _by_owner(search, base, members, step, bases)


def _got(call: ast.Call) -> tuple[ast.expr, Member] | None:
    name = callee(call)
    texts = [text_of(item) for item in call.args]
    if name == "getattr" and len(texts) > 1 and isinstance(call.func, ast.Name):
        return (call.args[0], texts[1]) if texts[1] is not None else None
    if (
        name not in _GETTING_OPTIONS
        or not texts
        or texts[0] is None
        or not isinstance(call.func, ast.Attribute)
    ):
        return None
    if len(texts) > 1 and texts[1] is not None and texts[1].isidentifier():
        # configparser's get("section", "option"); of a dict, the second is the default.
        return ast.copy_location(ast.Subscript(call.func.value, call.args[0], ast.Load()), call), texts[1]
    return (call.func.value, texts[0]) if name == "get" else None


def _is_self(site: Site) -> bool:
    """Whether a store is through `self`, which the class's own members account for."""
    scope = site.place.scope
    while scope.parent is not None and scope.kind != "class":
        scope = scope.parent
    return scope.kind == "class" and scope.name == site.owner


def _deeper(end: End, name: str, step: Step) -> End:
    inner = Step(step.node, step.place, end.step.site, step)
    return End(end.kind, inner, None, (*end.keys, name), end.file)


def _elements(search: Search, bases: list[End], at: int, step: Step) -> list[End]:
    """The value at an index, of a tuple that is written down or of what a call is known to answer with."""
    found: list[End] = []
    for end in bases:
        node = end.step.node
        if end.kind is not Kind.EXPRESSION:
            found.append(End(end.kind, end.step, None, (*end.keys, str(at)), end.file))
        elif isinstance(node, ast.Tuple | ast.List):
            starred = any(isinstance(item, ast.Starred) for item in node.elts)
            if starred or not -len(node.elts) <= at < len(node.elts):
                return [End(Kind.OPAQUE, step)]
            site = step.site or end.step.site
            found += search.resolve(Step(node.elts[at], end.step.place, site, end.step))
        elif isinstance(node, ast.Call) and callee(node) == "parse_known_args" and at == 0:
            found.append(end)
        elif isinstance(node, ast.Call) and callee(node) == "parse_args_into_dataclasses":
            found += of_dataclasses(search, node, end.step, at)
        else:
            found.append(End(Kind.OPAQUE, end.step))
    return found or [End(Kind.OPAQUE, step)]


def _of_run(search: Search, bases: list[End], step: Step) -> list[End]:
    """`wandb.config` is what `wandb.init(config=…)` was given."""
    if not any(end.step.site is not None and end.step.site.owner == "wandb" for end in bases):
        return []
    given = [(keyword(call, "config"), place) for call, place in search.found.calls_to("init")]
    return [
        end
        for config, place in given
        if config is not None
        for end in search.resolve(Step(config, place, None, step))
    ]


def _default_of(search: Search, step: Step) -> list[End] | None:
    """The second part of `cfg.get("batch_size", 64)`, where nothing else is known of it."""
    node = step.node
    if isinstance(node, ast.Call) and callee(node) in {"get", "getattr"}:
        at = 1 if callee(node) == "get" else 2
        if len(node.args) > at:
            return search.resolve(Step(node.args[at], step.place, step.site, step))
    return None


def _by_owner(search: Search, base: ast.expr, members: list[Site], step: Step, bases: list[End]) -> list[End]:
    """The members of that name whose owner has the base's name; all of them where there is no such owner."""
    owner = last_name(base)
    owned = [site for site in members if site.owner and site.owner == owner]
    sites = owned or [
        site for site in members if site.place.purpose is None or site.place.purpose == "training"
    ]
    found = [end for site in sites if search.live(site)[0] for end in search.end_of(site, step)]
    if found:
        return found
    return [_unseen(bases, step)]


def _unseen(bases: list[End], step: Step) -> End:
    """The end at a member of what is not in sight."""
    kinds = {end.kind for end in bases}
    if Kind.UNPASSED in kinds:
        return End(Kind.UNPASSED, step)
    return End(Kind.OPAQUE if kinds & {Kind.OPAQUE, Kind.EXPRESSION} else Kind.UNBOUND, step)
