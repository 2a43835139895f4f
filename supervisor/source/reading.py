"""Files that a script reads its settings from: YAML, JSON, TOML and INI, told by the call that reads them."""

import ast

from supervisor.source.steps import ReadFile
from supervisor.source.values import callee, keyword, last_name, text_of

_SUFFIXES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".ini": "ini", ".cfg": "ini"}
_BY_MODULE = {
    "yaml": "yaml",
    "YAML": "yaml",
    "OmegaConf": "yaml",
    "oc": "yaml",
    "json": "json",
    "jsonc": "json",
    "json5": "json",
    "ujson": "json",
    "toml": "toml",
    "tomllib": "toml",
    "tomli": "toml",
    "tomlkit": "toml",
}
_LOADING = frozenset({"load", "safe_load", "full_load", "unsafe_load", "loads", "load_all"})
_OPENING = frozenset(
    {"open", "Path", "read_text", "read_bytes", "expanduser", "join", "abspath", "read", "str"}
)
# Calls that answer with a module, given its name or its path.
_OF_MODULES = frozenset({"import_module", "__import__", "run_path", "module_from_spec", "load_source"})
_DEEPEST = 8


def file_read(call: ast.Call) -> ReadFile | None:
    """The file whose content a call answers with: `yaml.safe_load(open("config.yaml"))`; else None."""
    name = callee(call)
    base = last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    first = (
        call.args[0]
        if call.args
        else keyword(call, "stream") or keyword(call, "f") or keyword(call, "config_path")
    )
    if name in _LOADING and base in _BY_MODULE:
        return ReadFile(inner_path(first), _BY_MODULE[base])
    if name in _LOADING and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        made = callee(call.func.value)
        return ReadFile(inner_path(first), _BY_MODULE[made]) if made in _BY_MODULE else None
    if name in _OF_MODULES:
        # A module of settings by its name or path; that of a spec stands where the spec was made.
        return ReadFile(None if name == "module_from_spec" else first, "python")
    if name in {"safe_load", "full_load"}:
        return ReadFile(inner_path(first), "yaml")
    if first is None:
        return None
    path = text_of(first)
    suffix = format_of(path) if path is not None else ""
    if suffix:
        # load_config("configs/base.yaml"), whoever wrote that function.
        return ReadFile(first, suffix)
    return ReadFile(first, "") if name in {"fromfile", "from_file"} else None


def format_of(path: str) -> str:
    """The format that a path's ending says; empty where it says none."""
    dot = path.rfind(".")
    return _SUFFIXES.get(path[dot:].lower(), "") if dot >= 0 else ""


def inner_path(node: ast.expr | None, depth: int = 0) -> ast.expr | None:
    """The expression of the path inside `open(…)`, `Path(…).read_text()` and their like."""
    if node is None or depth > _DEEPEST:
        return node
    if isinstance(node, ast.Call) and callee(node) in _OPENING:
        if node.args and callee(node) != "join":
            return inner_path(node.args[0], depth + 1)
        if isinstance(node.func, ast.Attribute):
            return inner_path(node.func.value, depth + 1)
    return node
