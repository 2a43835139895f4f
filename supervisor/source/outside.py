"""A number that lives outside the script: in a file, a module, the arguments, the environment."""

import ast
import re
from collections.abc import Sequence

from supervisor.source.answer import External, Located
from supervisor.source.arguments import Argument, index_of_value, value_given
from supervisor.source.places import Form
from supervisor.source.reading import format_of, inner_path
from supervisor.source.steps import End, Kind, ReadFile, Search, Step
from supervisor.source.values import text_of

_DEEPEST = 6
_NUMBER = re.compile(r"0*[1-9][0-9]{0,8}|(?=.*[1-9])[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?")


def external(
    search: Search, end: End, args: Sequence[str], noun: str, chain: tuple[str, ...]
) -> External | Located:
    """The answer for a value that following traced out of the script."""
    keys = end.keys
    site = end.step.site
    if end.kind is Kind.REQUIRED and site is not None:
        flag = next(
            (item for item in site.flags if item.startswith("--")), site.flags[0] if site.flags else site.name
        )
        why = f"the {noun} is set by the argument {flag} alone, which the script demands on line {site.line}"
        return External(None, "args", (flag,), None, why, (*chain, why))
    if end.kind is Kind.FILE and end.file is not None:
        return _of_file(search, end, end.file, keys, args=args, noun=noun, chain=chain)
    module = site.owner if site is not None else ""
    if module == "sys" and keys[:1] == ("argv",):
        argument = _by_position(keys[1:], args)
        if argument is not None:
            why = f"the argument {argument.flag} sets the {noun}"
            return Located(argument.value, (), argument, why, (*chain, why))
        why = f"the {noun} is an argument of the command line, read on line {end.step.node.lineno}"
        return External(None, "args", keys[1:], None, why, (*chain, why))
    if module == "os" and keys[:1] in {("environ",), ("getenv",)}:
        why = f"the {noun} is the environment variable {'.'.join(keys[1:])}"
        return External(None, "env", keys[1:], None, why, (*chain, why))
    name = site.name if site is not None else ""
    path = module.strip(".").replace(".", "/") + ".py"
    names = keys if name == "*" or site is None else (*site.flags, *keys)
    line = site.line if site is not None else end.step.node.lineno
    why = f"the {noun} is {'.'.join(names)} of the module {module or name}, imported on line {line}"
    return External(path, "python", names, None, why, (*chain, why))


def _by_position(keys: tuple[str, ...], args: Sequence[str]) -> Argument | None:
    """`sys.argv[2]` of the arguments given, where that is a number above 0."""
    at = int(keys[0]) - 1 if len(keys) == 1 and keys[0].isdigit() else -1
    if not 0 <= at < len(args) or not _NUMBER.fullmatch(args[at]):
        return None
    return Argument(at, args[at], "", f"{at + 1} of the command line")


def _of_file(
    search: Search,
    end: End,
    file: ReadFile,
    keys: tuple[str, ...],
    *,
    args: Sequence[str],
    noun: str,
    chain: tuple[str, ...],
) -> External:
    path, index = file.fixed, None
    if value_given(args, file.flags, search.found.flags):
        index = index_of_value(args, file.flags, search.found.flags)
    elif path is None and file.path is not None:
        path, index = _path(search, Step(file.path, end.step.place, None, None), args, 0)
    if path is not None and file.format == "python" and "/" not in path:
        # A module by its dotted name.
        path = path.strip(".").removesuffix(".py").replace(".", "/") + ".py"
    kind = file.format or format_of(path or (args[index] if index is not None else ""))
    shown = path or (args[index].partition("=")[2] or args[index] if index is not None else "a file")
    why = f"the {noun} is {'.'.join(keys)} of {shown}, read on line {end.step.node.lineno}"
    return External(path, kind, keys, None, why, (*chain, why), index)


def _path(search: Search, step: Step, args: Sequence[str], depth: int) -> tuple[str | None, int | None]:
    """The path as the script writes it, or the position of the argument that is the path."""
    if depth > _DEEPEST:
        return None, None
    for end in search.resolve(step):
        site = end.step.site
        if end.kind is Kind.GIVEN and site is not None:
            return None, index_of_value(args, site.flags, search.found.flags)
        if end.kind is Kind.REQUIRED and site is not None and site.form is Form.OPTION:
            return None, None
        if end.kind is not Kind.EXPRESSION:
            continue
        text = text_of(end.step.node)
        if text is not None:
            return text, None
        if isinstance(end.step.node, ast.Call):
            inner = inner_path(end.step.node)
            if inner is not None and inner is not end.step.node:
                return _path(search, Step(inner, end.step.place, None, end.step), args, depth + 1)
    return None, None
