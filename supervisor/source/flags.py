"""The argument by which a command line can set the batch size that a script has by default.

A flag counts only where the script's parser is in sight: argparse, click, absl, typer, fire, dataclasses
that a parser reads, Hydra. What is appended is proved: with it the search answers with that argument.
"""

import ast
from collections.abc import Sequence

from supervisor.source.answer import Answer, External, Literal, Located
from supervisor.source.index import Definition, Index
from supervisor.source.locate import locate_batch_size
from supervisor.source.places import Form, Site
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.values import callee, keyword, last_name, text_of

_END_OF_OPTIONS = "--"
_CLASS_PARSER = "HfArgumentParser"


def with_flag(source: bytes, args: Sequence[str], answer: Answer, new: int) -> tuple[str, ...] | None:
    """The arguments with the size given by the script's own flag; None where no such flag is certain."""
    try:
        found = Index(SourceText(source).tree)
    except UnparsableError:
        return None
    extra: tuple[str, ...] = ()
    if isinstance(answer, External):
        name = _override(found, answer)
        extra = (f"{name}={new}",) if name else ()
    elif isinstance(answer, Located) and answer.argument is None and len(answer.places) == 1:
        flag = _flag(found, answer.places[0])
        extra = (flag, str(new)) if flag else ()
    if not extra:
        return None
    at = list(args).index(_END_OF_OPTIONS) if _END_OF_OPTIONS in args else len(args)
    changed = (*args[:at], *extra, *args[at:])
    proof = locate_batch_size(source, changed)
    sets = isinstance(proof, Located) and proof.argument is not None and proof.value == new
    return changed if sets else None


def _flag(found: Index, place: Literal) -> str | None:
    """The option string of the literal's option; None where there is none, or a choice."""
    if place.form == Form.OPTION:
        options = {id(site): site for site in found.flags.values() if site.name == place.name}
        return _long(next(iter(options.values())).flags) if len(options) == 1 else None
    sites = [site for site in found.sites if (site.name, site.line) == (place.name, place.line)]
    if len(sites) != 1:
        return None
    if place.form == Form.FIELD:
        read = any(
            last_name(item) == sites[0].owner
            for call, _ in found.calls_to(_CLASS_PARSER)
            for item in call.args
        ) or any(
            last_name(item) == sites[0].owner
            for call, _ in found.calls_to(_CLASS_PARSER)
            for part in call.args
            if isinstance(part, ast.Tuple | ast.List)
            for item in part.elts
        )
        return f"--{place.name}" if read else None
    return _of_parameter(found, sites[0]) if place.form == Form.PARAMETER else None


def _long(flags: Sequence[str]) -> str:
    return next((flag for flag in flags if flag.startswith("--")), flags[0])


def _of_parameter(found: Index, site: Site) -> str | None:
    """The option that typer or fire make of a function's parameter, where it is the only command."""
    functions = [
        item for item in found.defined(site.place.scope.name) if item.inner.scope is site.place.scope
    ]
    if len(functions) != 1 or isinstance(functions[0].node, ast.ClassDef):
        return None
    if [last_name(call.args[0]) for call, _ in found.calls_to("Fire") if call.args] == [
        site.place.scope.name
    ]:
        return f"--{site.name}"
    if not _is_typer_command(found, functions[0]):
        return None
    marks = _marks(functions[0].node, site)
    if any(callee(mark) == "Argument" for mark in marks):
        return None
    given = [text for mark in marks for item in mark.args if (text := text_of(item)) and text.startswith("-")]
    return _long(given) if given else f"--{site.name.replace('_', '-')}"


def _is_typer_command(found: Index, function: Definition) -> bool:
    if not (found.calls_to("Typer") or found.calls_to("run")):
        return False
    handed = [
        last_name(call.args[0])
        for call, _ in found.calls_to("run")
        if call.args and isinstance(call.func, ast.Attribute) and last_name(call.func.value) == "typer"
    ]
    if handed:
        return handed == [function.node.name]
    commands = [
        item
        for group in found.definitions.values()
        for item in group
        if any(_is_command(mark) for mark in item.node.decorator_list)
    ]
    return bool(found.calls_to("Typer")) and commands == [function]


def _is_command(mark: ast.expr) -> bool:
    call = mark.func if isinstance(mark, ast.Call) else mark
    return isinstance(call, ast.Attribute) and call.attr in {"command", "callback"}


def _marks(function: ast.AST, site: Site) -> list[ast.Call]:
    """The calls of `Option` or `Argument` in a parameter's default and annotation."""
    parameters = [node for node in ast.walk(function) if isinstance(node, ast.arg) and node.arg == site.name]
    parts = [site.value, *(item.annotation for item in parameters)]
    return [
        node
        for part in parts
        if part is not None
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and callee(node) in {"Option", "Argument"}
    ]


def _override(found: Index, external: External) -> str | None:
    """Hydra's name for a key of what it composes; None where something else reads the file."""
    stem = (external.path or "").rpartition("/")[2].rpartition(".")[0]
    for call, _ in found.calls_to("main"):
        hydra = isinstance(call.func, ast.Attribute) and last_name(call.func.value) == "hydra"
        name = text_of(keyword(call, "config_name")) or ""
        if hydra and name.removesuffix(".yaml").removesuffix(".yml") == stem:
            return ".".join(external.keys)
    return None
