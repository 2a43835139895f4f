"""The members that an object has from its making: dicts, namespaces, parsers, classes, files."""

import ast

from supervisor.source.classes import class_member, of_init
from supervisor.source.modules import is_framework, speaks_of_settings
from supervisor.source.options import CONFIG_FILE, FLAGS, PARSED, is_absl, option_flags, option_name
from supervisor.source.places import Form, Site
from supervisor.source.reading import file_read
from supervisor.source.steps import End, Kind, ReadFile, Search, Step, aliases
from supervisor.source.values import callee, keyword, last_name, text_of

_PARSING = frozenset({"parse_args", "parse_known_args", "parse_intermixed_args", "parse_arguments"})
_PARSERS_OF_INI = frozenset({"ConfigParser", "RawConfigParser", "SafeConfigParser"})
_OF_DICTS = frozenset(
    {
        "dict",
        "Namespace",
        "SimpleNamespace",
        "EasyDict",
        "AttrDict",
        "Box",
        "DotMap",
        "edict",
        "Munch",
        "ConfigDict",
    }
    | {
        "HParams",
        "OrderedDict",
        "Dict",
        "create",
        "DictConfig",
        "vars",
        "asdict",
        "to_container",
        "deepcopy",
        "copy",
    }
    | {"MappingProxyType", "structured", "Config", "merge", "instantiate"}
)
# `tyro.cli(Config)` and its like answer with one of the class that they are given.
_OF_CLASSES = frozenset({"cli", "ArgumentParser", "parse", "make_dataclass"})
_MOST_CALLS = 3
_FORMATS = ("yaml", "json", "toml")


def made(search: Search, end: End, name: str, step: Step) -> list[End] | None:
    """The value that the object has from its making; None where it is not known how it is made."""
    node, site = end.step.node, end.step.site
    if end.keys == ("hparams",) and end.definition is not None:
        return of_init(search, end.definition, name, step)
    if end.kind in {Kind.DEFINITION, Kind.INSTANCE} and end.definition is not None:
        return class_member(search, end.definition, name, step)
    if end.kind is Kind.IMPORTED and (end.keys[-1:] == (FLAGS,) or (site is not None and site.name == FLAGS)):
        return _options(search, name, step, FLAGS) or None
    if end.kind is not Kind.EXPRESSION:
        return None
    if isinstance(node, ast.Dict):
        return _entry(search, node, name, end)
    if isinstance(node, ast.Call):
        return _called(search, node, name, end)
    if isinstance(node, ast.Attribute) and node.attr == FLAGS:
        return _options(search, name, step, FLAGS)
    return None


def of_dataclasses(search: Search, call: ast.Call, step: Step, at: int) -> list[End]:
    """`HfArgumentParser((A, B)).parse_args_into_dataclasses()` makes one of each, in this order."""
    parser = call.func.value if isinstance(call.func, ast.Attribute) else None
    found: list[End] = []
    for end in search.resolve(Step(parser, step.place, None, step)) if parser is not None else ():
        node = end.step.node
        given = node.args[0] if isinstance(node, ast.Call) and node.args else None
        classes = (
            given.elts if isinstance(given, ast.Tuple | ast.List) else [given] if given is not None else []
        )
        if at < len(classes):
            found += search.resolve(Step(classes[at], end.step.place, None, end.step))
    return found or [End(Kind.OPAQUE, step)]


def _entry(search: Search, node: ast.Dict, name: str, end: End) -> list[End]:
    found: list[End] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            found += _member_if_any(search, value, name, end.step)
        elif text_of(key) == name:
            site = Site(name, Form.ENTRY, value, value.lineno, end.step.place)
            found = search.resolve(Step(value, end.step.place, site, end.step))
    return found


def _called(search: Search, node: ast.Call, name: str, end: End) -> list[End] | None:
    kind, step = callee(node), end.step
    classes = [item for item in search.found.defined(kind) if isinstance(item.node, ast.ClassDef)]
    if classes:
        return class_member(search, classes[-1], name, step, node)
    given = keyword(node, name)
    if given is not None:
        form = Form.ENTRY if kind in _OF_DICTS else Form.KEYWORD
        return search.resolve(
            Step(given, step.place, Site(name, form, given, given.lineno, step.place), step)
        )
    if kind in _PARSING:
        return _parsed(search, node, name, step)
    if name == "value" and kind == CONFIG_FILE:
        return [_config_file(node, step)]
    if name == "value" and is_absl(node):
        sites = [site for site in search.found.members_named(option_name(node)) if site.owner == FLAGS]
        return [item for site in sites for item in search.end_of(site, step)]
    if kind in _OF_CLASSES and node.args:
        return _of_class(search, node.args[0], name, step)
    return _read(search, node, name, end) or _spread(search, node, name, step)


def _parsed(search: Search, node: ast.Call, name: str, step: Step) -> list[End] | None:
    """An option; of a parser from another module, that module's."""
    options = _options(search, name, step, PARSED)
    parser = node.func.value if isinstance(node.func, ast.Attribute) else None
    if options or parser is None:
        return options or None
    made_by = search.resolve(Step(parser, step.place, None, step))
    imported = [item for item in made_by if item.kind is Kind.IMPORTED]
    if imported:
        return [End(Kind.IMPORTED, item.step, None, (*item.keys, name)) for item in imported]
    calls = [item.step.node for item in made_by if isinstance(item.step.node, ast.Call)]
    return [end for call in calls for end in _by_import(search, call, name, step)] or None


def _of_class(search: Search, given: ast.expr, name: str, step: Step) -> list[End] | None:
    ends = search.resolve(Step(given, step.place, None, step))
    known = [item.definition for item in ends if item.kind is Kind.DEFINITION and item.definition is not None]
    return class_member(search, known[-1], name, step) if known else None


def _read(search: Search, node: ast.Call, name: str, end: End) -> list[End]:
    """The member of a file that is read, by a library or by a function of the project."""
    file = file_read(node)
    if callee(node) in _PARSERS_OF_INI:
        file = ReadFile(_path_of_ini(search, aliases(end)), "ini")
    if callee(node) == "compose":
        file = _composed(search, node)
    if file is not None:
        return [End(Kind.FILE, end.step, None, (name,), file)]
    if callee(node) == "init" and name == "config":
        config = keyword(node, "config")
        return search.resolve(Step(config, end.step.place, None, end.step)) if config is not None else []
    if callee(node) in _OF_DICTS and not isinstance(_root(node)[0], ast.Call):
        return []
    return _by_import(search, node, name, end.step)


def _composed(search: Search, node: ast.Call) -> ReadFile | None:
    """Hydra's `compose("config")` inside `initialize("conf")`."""
    name = text_of(keyword(node, "config_name") or (node.args[0] if node.args else None))
    if name is None:
        return None
    calls = [call for call, _ in search.found.calls_to("initialize")]
    folders = [
        text_of(keyword(call, "config_path") or (call.args[0] if call.args else None)) for call in calls
    ]
    folder = f"{folders[-1]}/" if folders and folders[-1] not in {None, "."} else ""
    return ReadFile(None, "yaml", f"{folder}{name.removesuffix('.yaml')}.yaml")


def _path_of_ini(search: Search, names: set[str]) -> ast.expr | None:
    """The path in `parser.read("settings.ini")`, for a parser of one of the names."""
    calls = [call for call, _ in search.found.calls_to("read") if call.args]
    receivers = [(call, call.func.value) for call in calls if isinstance(call.func, ast.Attribute)]
    paths = [call.args[0] for call, receiver in receivers if last_name(receiver) in names]
    return paths[-1] if paths else None


def _by_import(search: Search, node: ast.Call, name: str, step: Step, depth: int = 0) -> list[End]:
    """A member of what other code of the project answers with: `get_args()`, `Options().parse()`."""
    root, chain = _root(node)
    if isinstance(root, ast.Call) and (file := file_read(root)) is not None and file.format == "python":
        # A part of a module that is imported by its name.
        return [End(Kind.FILE, step, None, (name,), file)]
    called = "_".join([*chain, last_name(root)])
    said = next((kind for kind in _FORMATS if kind in chain[-1].lower()), "") if chain else ""
    if not isinstance(root, ast.Name) or not (said or speaks_of_settings(called)):
        return []
    for item in search.resolve(Step(root, step.place, None, step)):
        site, inner = item.step.site, item.step.node
        if item.kind is Kind.EXPRESSION and isinstance(inner, ast.Call) and depth < _MOST_CALLS:
            # options = Options(), and then options.parse().
            return _by_import(search, inner, name, item.step, depth + 1)
        if item.kind is not Kind.IMPORTED or site is None or is_framework(site.owner):
            continue
        if said or chain[-1].startswith(("load", "read")):
            path = node.args[0] if node.args else None
            return [End(Kind.FILE, step, None, (name,), ReadFile(path, said or "yaml"))]
        return [End(Kind.IMPORTED, item.step, None, (name,))]
    return []


def _root(node: ast.Call) -> tuple[ast.expr, list[str]]:
    """What calls and attributes begin with, and the names of what is called, the last at the end."""
    names: list[str] = []
    root: ast.expr = node
    while isinstance(root, ast.Call | ast.Attribute):
        if isinstance(root, ast.Call):
            if (file := file_read(root)) is not None and file.format == "python":
                break
            names.append(callee(root))
        if isinstance(root, ast.Attribute):
            root = root.value
        else:
            # getattr(module, name) is a part of the module.
            root = root.args[0] if callee(root) == "getattr" and root.args else root.func
    return root, names[::-1]


def _spread(search: Search, node: ast.Call, name: str, step: Step) -> list[End] | None:
    """The member of what an object is made from: `SimpleNamespace(**settings)`, `EasyDict(settings)`."""
    if callee(node) not in _OF_DICTS:
        return None
    parts = [*node.args, *(item.value for item in node.keywords if item.arg is None)]
    return [end for part in parts for end in _member_if_any(search, part, name, step)]


def _member_if_any(search: Search, base: ast.expr, name: str, step: Step) -> list[End]:
    """The member of a base that is spread into another object, where it has one of that name."""
    key = ast.copy_location(ast.Constant(name), base)
    read = ast.copy_location(ast.Subscript(base, key, ast.Load()), base)
    found = search.member(base, name, Step(read, step.place, step.site, step), guess=False)
    return [end for end in found if end.kind not in {Kind.UNBOUND, Kind.OPAQUE}]


def _config_file(call: ast.Call, step: Step) -> End:
    """What ml_collections makes of the module that its option names."""
    path = call.args[1] if len(call.args) > 1 else keyword(call, "default")
    return End(Kind.FILE, step, None, (), ReadFile(path, "python", None, option_flags(call)))


def _options(search: Search, name: str, step: Step, owner: str) -> list[End]:
    for call, _ in search.found.calls_to(CONFIG_FILE) if owner == FLAGS else ():
        if option_name(call) == name:
            return [_config_file(call, step)]
    sites = [site for site in search.found.members_named(name) if site.form is Form.OPTION]
    return [end for site in sites if site.owner == owner for end in search.end_of(site, step)]
