"""What `base.name`, `base["name"]` and `base.get("name")` may be, from how the base was made and written to."""

import ast
from collections.abc import Iterator

from supervisor.source.index import Definition, bindings
from supervisor.source.modules import is_framework, speaks_of_settings
from supervisor.source.options import FLAGS, PARSED, is_absl, option_name
from supervisor.source.places import Form, Site
from supervisor.source.reading import file_read
from supervisor.source.steps import End, Kind, ReadFile, Search, Step, aliases
from supervisor.source.values import callee, keyword, last_name, text_of

_PARSING = (
    "parse_args",
    "parse_known_args",
    "parse_intermixed_args",
    "parse_arguments",
    "parse_args_and_config",
)
_MAKING_DICTS = frozenset(
    {"dict", "Namespace", "SimpleNamespace", "EasyDict", "AttrDict", "Box", "DotMap"}
    | {
        "edict",
        "Munch",
        "ConfigDict",
        "HParams",
        "OrderedDict",
        "Dict",
        "create",
        "DictConfig",
        "vars",
        "asdict",
    }
    | {"to_container", "deepcopy", "copy", "MappingProxyType", "structured", "Config", "merge", "instantiate"}
)
_GETTING_OPTIONS = frozenset({"get", "getint", "getfloat", "getboolean"})
_PARSERS_OF_INI = frozenset({"ConfigParser", "RawConfigParser", "SafeConfigParser"})
_MOST_BASES = 12
# Values that are what their first argument is, with other access to it.
Member = str | int


def member_of(node: ast.expr) -> tuple[ast.expr, Member] | None:
    """The base and the name of `args.batch_size`, `cfg["batch_size"]`, `cfg.get("batch_size", …)`, `sizes[0]`."""
    if isinstance(node, ast.Attribute):
        return node.value, node.attr
    if isinstance(node, ast.Subscript):
        key = node.slice
        if isinstance(key, ast.Constant) and type(key.value) in {str, int}:
            return node.value, key.value  # type: ignore[return-value]
        return None
    if isinstance(node, ast.Call):
        name = callee(node)
        if name in _GETTING_OPTIONS and len(node.args) > 1 and isinstance(node.func, ast.Attribute):
            # configparser's get("section", "option"); of a dict, the second is the default.
            section, text = text_of(node.args[0]), text_of(node.args[1])
            if section is not None and text is not None and text.isidentifier():
                return ast.copy_location(ast.Subscript(node.func.value, node.args[0], ast.Load()), node), text
        if name == "get" and node.args and isinstance(node.func, ast.Attribute):
            text = text_of(node.args[0])
            return (node.func.value, text) if text is not None else None
        if name == "getattr" and len(node.args) > 1 and isinstance(node.func, ast.Name):
            text = text_of(node.args[1])
            return (node.args[0], text) if text is not None else None
    return None


def member_values(search: Search, base: ast.expr, name: Member, step: Step) -> list[End]:
    """Where the value of a member comes from."""
    bases = search.resolve(Step(base, step.place, None, step))[:_MOST_BASES]
    if isinstance(name, int):
        return _elements(search, bases, name, step)
    members = search.found.members_named(name)
    owners = {last_name(base)} - {""}
    for end in bases:
        owners |= aliases(end)
    owners -= {"self", "cls"}
    made: list[End] = []
    known = False
    for end in bases:
        values = _made(search, end, name, step)
        known |= values is not None
        made += values or []
    written = [site for site in members if site.stored and site.owner in owners]
    written = [site for site in written if not _is_self(search, site)]
    shared = any(end.kind is Kind.DEFINITION for end in bases)
    found = _latest(search, made, written, step, replaces=not shared)
    if found or (known and made):
        return found
    if name == "config" and any(end.step.site and end.step.site.owner == "wandb" for end in bases):
        found = _of_run(search, step)
        if found:
            return found
    outside = [end for end in bases if end.kind in {Kind.IMPORTED, Kind.FILE}]
    if outside:
        return [
            End(end.kind, Step(step.node, step.place, end.step.site, step), None, (*end.keys, name), end.file)
            for end in outside
        ]
    fallback = _default_of(search, step)
    return fallback if fallback is not None else _by_owner(search, base, name, members, step, bases)


def _is_self(search: Search, site: Site) -> bool:
    """Whether a store is through `self`, which the class's own members account for."""
    del search
    scope = site.place.scope
    while scope.parent is not None and scope.kind != "class":
        scope = scope.parent
    return scope.kind == "class" and scope.name == site.owner


def _elements(search: Search, bases: list[End], at: int, step: Step) -> list[End]:
    found: list[End] = []
    for end in bases:
        node = end.step.node
        if end.kind is Kind.EXPRESSION and isinstance(node, ast.Tuple | ast.List):
            if any(isinstance(item, ast.Starred) for item in node.elts) or not -len(node.elts) <= at < len(
                node.elts
            ):
                return [End(Kind.OPAQUE, step)]
            found += search.resolve(Step(node.elts[at], end.step.place, step.site or end.step.site, end.step))
        elif (
            end.kind is Kind.EXPRESSION
            and isinstance(node, ast.Call)
            and callee(node) == "parse_known_args"
            and at == 0
        ):
            found.append(end)
        elif (
            end.kind is Kind.EXPRESSION
            and isinstance(node, ast.Call)
            and callee(node) == "parse_args_into_dataclasses"
        ):
            found += _of_dataclasses(search, node, end.step, at)
        else:
            kind = Kind.OPAQUE if end.kind is Kind.EXPRESSION else end.kind
            found.append(End(kind, end.step, None, (*end.keys, str(at)), end.file))
    return found or [End(Kind.OPAQUE, step)]


def _of_dataclasses(search: Search, call: ast.Call, step: Step, at: int) -> list[End]:
    """`HfArgumentParser((A, B)).parse_args_into_dataclasses()` makes one of each, in this order."""
    if not isinstance(call.func, ast.Attribute):
        return [End(Kind.OPAQUE, step)]
    found: list[End] = []
    for end in search.resolve(Step(call.func.value, step.place, None, step)):
        node = end.step.node
        if not isinstance(node, ast.Call) or not node.args:
            continue
        made = node.args[0]
        classes = made.elts if isinstance(made, ast.Tuple | ast.List) else [made]
        if at < len(classes):
            found += search.resolve(Step(classes[at], end.step.place, None, end.step))
    return found or [End(Kind.OPAQUE, step)]


def _made(search: Search, end: End, name: str, step: Step) -> list[End] | None:
    """The value that the object has from its making; None where it is not known how it is made."""
    if end.keys == ("hparams",) and end.definition is not None:
        return _of_init(search, end.definition, name, step)
    if end.kind in {Kind.DEFINITION, Kind.INSTANCE} and end.definition is not None:
        return class_member(search, end.definition, name, step)
    node = end.step.node
    if end.kind is Kind.IMPORTED and (
        end.keys[-1:] == (FLAGS,) or (end.step.site and end.step.site.name == FLAGS)
    ):
        return _options(search, name, step, FLAGS) or None
    if end.kind is not Kind.EXPRESSION:
        return None
    if isinstance(node, ast.Dict):
        return _entry(search, node, name, end)
    if isinstance(node, ast.Call):
        return _called(search, node, name, end, step)
    if isinstance(node, ast.Attribute) and node.attr == FLAGS:
        return _options(search, name, step, FLAGS)
    return None


def _of_init(search: Search, definition: Definition, name: str, step: Step) -> list[End]:
    """Lightning's `self.hparams.batch_size` is the parameter of `__init__` of that name."""
    for part in definition.node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            scope = search.found.inner(part, definition.inner).scope
            sites = [site for site in bindings(search.found, name, scope) if site.form is Form.PARAMETER]
            return [end for site in sites for end in search.end_of(site, step)]
    return []


def _of_run(search: Search, step: Step) -> list[End]:
    """`wandb.config` is what `wandb.init(config=…)` was given."""
    found: list[End] = []
    for call, place in search.found.calls_to("init"):
        config = keyword(call, "config")
        if config is not None:
            found += search.resolve(Step(config, place, None, step))
    return found


def _entry(search: Search, node: ast.Dict, name: str, end: End) -> list[End]:
    found: list[End] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is not None and text_of(key) == name:
            site = Site(name, Form.ENTRY, value, value.lineno, end.step.place)
            found = search.resolve(Step(value, end.step.place, site, end.step))
        elif key is None:
            found += _member_if_any(search, value, name, end.step)
    return found


def _called(search: Search, node: ast.Call, name: str, end: End, step: Step) -> list[End] | None:
    kind = callee(node)
    given = keyword(node, name)
    definitions = [item for item in search.found.defined(kind) if isinstance(item.node, ast.ClassDef)]
    if definitions:
        return class_member(search, definitions[-1], name, end.step, node)
    if given is not None:
        site = Site(
            name, Form.ENTRY if kind in _MAKING_DICTS else Form.KEYWORD, given, given.lineno, end.step.place
        )
        return search.resolve(Step(given, end.step.place, site, end.step))
    if kind in _PARSING:
        parser = node.func.value if isinstance(node.func, ast.Attribute) else None
        options = _options(search, name, step, PARSED)
        if not options and parser is not None:
            imported = [
                item
                for item in search.resolve(Step(parser, end.step.place, None, end.step))
                if item.kind is Kind.IMPORTED
            ]
            return [End(Kind.IMPORTED, item.step, None, (*item.keys, name)) for item in imported] or None
        return options or None
    if kind in _PARSERS_OF_INI:
        read = [
            call
            for call, _ in search.found.calls_to("read")
            if call.args and isinstance(call.func, ast.Attribute)
        ]
        paths = [call.args[0] for call in read if last_name(call.func.value) in aliases(end)]
        return [End(Kind.FILE, end.step, None, (name,), ReadFile(paths[-1] if paths else None, "ini"))]
    if name == "value" and is_absl(node):
        sites = [site for site in search.found.members_named(option_name(node)) if site.owner == FLAGS]
        return [item for site in sites for item in search.end_of(site, step)]
    read = file_read(node)
    if read is not None:
        return [End(Kind.FILE, end.step, None, (name,), read)]
    if kind == "init" and name == "config":
        config = keyword(node, "config")
        return search.resolve(Step(config, end.step.place, None, end.step)) if config is not None else None
    if kind not in _MAKING_DICTS and (ends := _by_import(search, node, name, end)):
        return ends
    if kind in _MAKING_DICTS:
        found: list[End] = []
        for item in (*node.args, *(part.value for part in node.keywords if part.arg is None)):
            found += _member_if_any(search, item, name, end.step)
        return found
    return None


def _by_import(search: Search, node: ast.Call, name: str, end: End) -> list[End]:
    """A member of what a function of another module of the project answers with, such as `get_args()`."""
    if not speaks_of_settings(callee(node)) and not any(
        word in callee(node).lower() for word in ("yaml", "json", "toml")
    ):
        return []
    root = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return []
    imports = [
        item
        for item in search.resolve(Step(root, end.step.place, None, end.step))
        if item.kind is Kind.IMPORTED
    ]
    imports = [
        item for item in imports if item.step.site is not None and not is_framework(item.step.site.owner)
    ]
    for item in imports:
        said = next((kind for kind in ("yaml", "json", "toml") if kind in callee(node).lower()), "")
        if said or callee(node).startswith(("load", "read", "parse_config", "get_config_from")):
            path = node.args[0] if node.args else None
            return [End(Kind.FILE, end.step, None, (name,), ReadFile(path, said or "yaml"))]
        return [End(Kind.IMPORTED, item.step, None, (name,))]
    return []


def _member_if_any(search: Search, base: ast.expr, name: str, step: Step) -> list[End]:
    """The member of a base that is spread into another object, where it has one of that name."""
    key = ast.copy_location(ast.Constant(name), base)
    read = ast.copy_location(ast.Subscript(base, key, ast.Load()), base)
    found = search.resolve(Step(read, step.place, step.site, step))
    return [end for end in found if end.kind not in {Kind.UNBOUND, Kind.OPAQUE}]


def _options(search: Search, name: str, step: Step, owner: str) -> list[End]:
    sites = [
        site for site in search.found.members_named(name) if site.form is Form.OPTION and site.owner == owner
    ]
    return [end for site in sites for end in search.end_of(site, step)]


def class_member(
    search: Search,
    definition: Definition,
    name: str,
    step: Step,
    call: ast.Call | None = None,
    depth: int = 0,
) -> list[End]:
    """What a class's own code says of a member: a field by its call, an attribute, or a property's value."""
    node, inner = definition.node, definition.inner
    if not isinstance(node, ast.ClassDef) or depth > _MOST_BASES:
        return []
    sites = [site for site in search.found.members_named(name) if site.owner == node.name]
    own = [site for site in sites if site.place.scope is inner.scope]
    if name == "hparams":
        return [End(Kind.INSTANCE, step, definition, ("hparams",))]
    stored = [site for site in sites if site.stored]
    found: list[End] = []
    if call is not None and inner.scope.fields:
        value = keyword(call, name) or _field_by_position(node, call, name)
        if value is not None:
            site = Site(name, Form.KEYWORD, value, value.lineno, step.place)
            found += search.resolve(Step(value, step.place, site, step))
    elif own and inner.scope.fields and call is None:
        found += _field_by_calls(search, definition, name, step)
    if not found:
        live = [site for site in stored if search.live(site)[0]]
        certain = any(
            search.live(site)[1] and site.place.scope.name == "__init__" and not _reads_itself(site)
            for site in live
        )
        for site in live if certain else [*own, *live]:
            found += search.end_of(site, step)
    if not found:
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == name and part.decorator_list:
                found += search.returned(Definition(part, inner, search.found.inner(part, inner)), step)
    if not found:
        for other in _related(search, node, call):
            found += class_member(search, other, name, step, call, depth + 1)
            if found:
                break
    return found


def _reads_itself(site: Site) -> bool:
    return any(
        isinstance(part, ast.Attribute) and part.attr == site.name
        for part in ast.walk(site.value or ast.Pass())
    )


def _related(search: Search, node: ast.ClassDef, call: ast.Call | None) -> Iterator[Definition]:
    for base in node.bases:
        for item in search.found.defined(last_name(base)):
            if item.node is not node:
                yield item
    if call is None:
        search.found.ask(node.name)
        for items in list(search.found.definitions.values()):
            for item in items:
                if isinstance(item.node, ast.ClassDef) and node.name in map(last_name, item.node.bases):
                    yield item


def _field_by_position(node: ast.ClassDef, call: ast.Call, name: str) -> ast.expr | None:
    fields = [
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    ]
    at = fields.index(name) if name in fields else len(call.args)
    if at >= len(call.args) or any(isinstance(item, ast.Starred) for item in call.args[: at + 1]):
        return None
    return call.args[at]


def _field_by_calls(search: Search, definition: Definition, name: str, step: Step) -> list[End]:
    """A field of an object that came from nowhere in sight: what the calls of its class pass."""
    node = definition.node
    found: list[End] = []
    if not isinstance(node, ast.ClassDef):
        return found
    omitted = False
    calls = [
        item
        for item in search.found.calls_to(node.name)
        if isinstance(item[0].func, ast.Name | ast.Attribute)
    ]
    for call, place in calls:
        value = keyword(call, name) or _field_by_position(node, call, name)
        if value is None:
            omitted = True
        else:
            site = Site(name, Form.KEYWORD, value, value.lineno, place)
            found += search.resolve(Step(value, place, site, step))
    return found if calls and not omitted else []


def _latest(search: Search, made: list[End], written: list[Site], step: Step, *, replaces: bool) -> list[End]:
    """The value from the making, and what is stored later; a later store that always runs replaces all before."""
    live = [site for site in written if search.live(site)[0] and site.value is not step.node]
    here = [site for site in live if not _follows(site, step)]
    found: list[End] = []
    for site in reversed(here):
        found += search.end_of(site, step)
        if (
            replaces
            and search.live(site)[1]
            and site.place.scope in {step.place.scope, search.found.module}
            and not _reads_itself(site)
        ):
            return found
    return [*made, *found]


def _follows(site: Site, step: Step) -> bool:
    """Whether a store stands after the read, in the same scope and in no loop with it."""
    if site.place.scope is not step.place.scope or site.line < step.node.lineno:
        return False
    loops = {guard for guard in site.place.guards if guard.loop}
    return not loops & set(step.place.guards)


def _default_of(search: Search, step: Step) -> list[End] | None:
    """The second part of `cfg.get("batch_size", 64)`, where nothing else is known of it."""
    node = step.node
    if isinstance(node, ast.Call) and callee(node) in {"get", "getattr"}:
        at = 1 if callee(node) == "get" else 2
        if len(node.args) > at:
            return search.resolve(Step(node.args[at], step.place, step.site, step))
    return None


def _by_owner(
    search: Search, base: ast.expr, name: str, members: list[Site], step: Step, bases: list[End]
) -> list[End]:
    """Members of that name by the name of their owner; all of that name where none is known to be the owner."""
    owner = last_name(base)
    owned = [site for site in members if site.owner and site.owner == owner]
    sites = owned or [
        site for site in members if site.place.purpose is None or site.place.purpose == "training"
    ]
    found = [end for site in sites if search.live(site)[0] for end in search.end_of(site, step)]
    if found:
        return found
    kinds = {end.kind for end in bases}
    kind = Kind.OPAQUE if Kind.OPAQUE in kinds or Kind.EXPRESSION in kinds else Kind.UNBOUND
    return [End(Kind.UNPASSED if Kind.UNPASSED in kinds else kind, step)]
