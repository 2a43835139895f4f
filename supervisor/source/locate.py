"""Finds where the batch size of a default run stands, or says why that is not certain.

Names decide what is a candidate, its form how much it counts for. A single best candidate is the
answer; several equally good ones with different places are not.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from supervisor.source.tree import Source, UnreadableError, parse

_NAMES = re.compile(
    r"^(?:(?:train(?:ing)?|per_device|per_gpu|per_device_train|global|mini|default)_?)*"
    r"(?:batch_?size|batchsize|batch|bs|bsz|batch_sz|minibatch)(?:_?(?:train(?:ing)?|per_(?:gpu|device)))?$",
    re.IGNORECASE,
)
_OTHER_USES = re.compile(
    r"(?:^|_)(?:val|valid|validation|eval|evaluation|test|testing|pred|predict|infer|inference)(?:_|$)",
    re.IGNORECASE,
)
_FLAG = re.compile(r"^--?([A-Za-z][\w-]*)(?:=(.*))?$", re.DOTALL)
_SHORT_FLAG = re.compile(r"^-b(\d+)$")


class Rank(IntEnum):
    """How much a form counts for; only the highest rank found is considered."""

    PARAMETER = 1  # a function's default
    KEYWORD = 2  # a literal handed to a call
    ENTRY = 3  # a dictionary's entry
    FIELD = 4  # a class attribute or dataclass field
    OPTION = 5  # the default of a command-line option or environment variable
    CONSTANT = 6  # a name of the module


@dataclass(frozen=True, slots=True)
class Literal:
    """A place in the source: bytes `start` to `end` hold `value`; `line` counts from 1."""

    line: int
    start: int
    end: int
    value: int
    name: str
    form: str
    why: str


@dataclass(frozen=True, slots=True)
class Argument:
    """A command-line argument that sets the size: `args[index]` is `prefix` followed by the number."""

    index: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Located:
    """The batch size and where it is changed: in the argument where there is one, else at `places`."""

    value: int
    places: tuple[Literal, ...]
    argument: Argument | None
    why: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Not certain enough to change anything; `reason` says why and what to do."""

    reason: str
    candidates: tuple[Literal, ...] = ()


def locate_batch_size(data: bytes, args: Sequence[str] = ()) -> Located | Uncertain:
    """Where the batch size of a run with `args` stands. Never raises, whatever the bytes."""
    in_args = _in_arguments(args)
    if in_args is not None:
        argument, value = in_args
        return Located(value, (), argument, f"the argument {args[argument.index]!r} sets it")
    try:
        source = parse(data)
        found = list(_candidates(source))
    except UnreadableError as error:
        return Uncertain(f"the script cannot be parsed ({error}); mend it")
    except (RecursionError, MemoryError):
        return Uncertain("the script is nested too deeply to be parsed")
    return _choose(found)


def _choose(found: list[tuple[Rank, Literal]]) -> Located | Uncertain:
    if not found:
        return Uncertain("no batch size was found; name it BATCH_SIZE at the top of the script")
    everything = tuple(literal for _, literal in found)
    best = max(rank for rank, _ in found)
    places = [literal for rank, literal in found if rank is best]
    if len(places) == 1:
        return Located(places[0].value, (places[0],), None, places[0].why)
    where = ", ".join(f"{place.name} at line {place.line}" for place in places[:5])
    reason = f"the batch size may be any of {where}; name the one that counts BATCH_SIZE, once, at the top"
    return Uncertain(reason, everything)


def _in_arguments(args: Sequence[str]) -> tuple[Argument, int] | None:
    """The last argument that sets the size: as argparse has it, the last one wins."""
    found: tuple[Argument, int] | None = None
    for index, arg in enumerate(args):
        if arg == "--":
            break
        if match := _SHORT_FLAG.match(arg):
            found = Argument(index, "-b"), int(match[1])
        elif (match := _FLAG.match(arg)) and (match[1] == "b" or is_batch_size(match[1].replace("-", "_"))):
            if match[2] is not None and match[2].isdecimal():
                found = Argument(index, arg[: len(arg) - len(match[2])]), int(match[2])
            elif match[2] is None and index + 1 < len(args) and args[index + 1].isdecimal():
                found = Argument(index + 1, ""), int(args[index + 1])
    return found


def is_batch_size(name: str) -> bool:
    """Whether a name is that of a training batch size."""
    return bool(_NAMES.match(name)) and not _OTHER_USES.search(name)


def _candidates(source: Source) -> Iterator[tuple[Rank, Literal]]:
    yield from _in_body(source, source.module.body, Rank.CONSTANT)


def _in_body(source: Source, body: Sequence[ast.stmt], rank: Rank) -> Iterator[tuple[Rank, Literal]]:
    for statement in body:
        yield from _in_statement(source, statement, rank)


def _in_statement(source: Source, statement: ast.stmt, rank: Rank) -> Iterator[tuple[Rank, Literal]]:
    match statement:
        case ast.If(test=ast.Constant(value=False | 0)):
            yield from _in_body(source, statement.orelse, rank)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _assigned(source, target, value, rank)
            if not any(_is_other_use(target) for target in targets):
                yield from _in_expression(source, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _assigned(source, target, value, rank)
            yield from _in_expression(source, value)
        case ast.ClassDef(body=inner):
            yield from _in_body(source, inner, Rank.FIELD)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if not _OTHER_USES.search(statement.name):
                yield from _parameters(source, statement.args)
                for decorator in statement.decorator_list:
                    yield from _in_expression(source, decorator)
                yield from _in_body(source, statement.body, Rank.PARAMETER)
        case _:
            yield from _in_other(source, statement, rank)


def _in_other(source: Source, statement: ast.stmt, rank: Rank) -> Iterator[tuple[Rank, Literal]]:
    """A compound statement's own expressions, and the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr):
            yield from _in_expression(source, child)
        elif isinstance(child, ast.stmt):
            yield from _in_statement(source, child, rank)
        else:
            for inner in ast.iter_child_nodes(child):
                if isinstance(inner, ast.stmt):
                    yield from _in_statement(source, inner, rank)
                elif isinstance(inner, ast.expr):
                    yield from _in_expression(source, inner)


def _assigned(
    source: Source, target: ast.expr, value: ast.expr, rank: Rank
) -> Iterator[tuple[Rank, Literal]]:
    match target, value:
        case ast.Tuple(elts=names), ast.Tuple(elts=values) if len(names) == len(values):
            for name, item in zip(names, values, strict=True):
                yield from _assigned(source, name, item, rank)
        case ((ast.Name(id=name) | ast.Attribute(attr=name)), _) if is_batch_size(name):
            form = {Rank.CONSTANT: "module constant", Rank.FIELD: "class attribute"}.get(rank, "assignment")
            yield from _literal(source, value, name, rank, form)
        case ast.Subscript(slice=ast.Constant(value=str(key))), _ if is_batch_size(key):
            yield from _literal(source, value, key, Rank.ENTRY, "dict entry")


def _in_expression(source: Source, expression: ast.expr) -> Iterator[tuple[Rank, Literal]]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and is_batch_size(key.value):
                    yield from _literal(source, value, key.value, Rank.ENTRY, "dict entry")
        elif isinstance(node, ast.Call):
            yield from _in_call(source, node)
        elif isinstance(node, ast.Lambda):
            yield from _parameters(source, node.args)


def _in_call(source: Source, call: ast.Call) -> Iterator[tuple[Rank, Literal]]:
    option = next((name for name in _flag_names(call) if is_batch_size(name)), None)
    if option is not None:
        for keyword in call.keywords:
            if keyword.arg == "default":
                yield from _literal(source, keyword.value, option, Rank.OPTION, "option's default")
        return
    variable = _environment_name(call)
    if variable is not None and len(call.args) > 1:
        yield from _literal(source, call.args[1], variable, Rank.OPTION, "environment default")
        return
    for keyword in call.keywords:
        if keyword.arg is not None and is_batch_size(keyword.arg):
            yield from _literal(source, keyword.value, keyword.arg, Rank.KEYWORD, "keyword")


def _flag_names(call: ast.Call) -> Iterator[str]:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            match = _FLAG.match(argument.value)
            if match is not None:
                yield match[1].replace("-", "_")


def _environment_name(call: ast.Call) -> str | None:
    function = ast.unparse(call.func)
    if function not in {"os.environ.get", "environ.get", "os.getenv", "getenv"} or not call.args:
        return None
    name = call.args[0]
    known = isinstance(name, ast.Constant) and isinstance(name.value, str) and is_batch_size(name.value)
    return name.value if known else None  # type: ignore[attr-defined] # checked in the line above


def _parameters(source: Source, arguments: ast.arguments) -> Iterator[tuple[Rank, Literal]]:
    positional = arguments.posonlyargs + arguments.args
    pairs = list(zip(positional[::-1], arguments.defaults[::-1], strict=False))
    pairs += [
        (name, default)
        for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    for name, default in pairs:
        if is_batch_size(name.arg):
            yield from _literal(source, default, name.arg, Rank.PARAMETER, "parameter's default")
        else:
            yield from _in_expression(source, default)


def _literal(
    source: Source, value: ast.expr, name: str, rank: Rank, form: str
) -> Iterator[tuple[Rank, Literal]]:
    """The literal that `value` comes down to, if it does."""
    value = _inside(value)
    size = size_of_expression(value)
    if size is None or size < 1:
        return
    start, end = source.span(value)
    why = f"{form} {name} at line {value.lineno}"
    yield rank, Literal(value.lineno, start, end, size, name, form, why)


def _inside(value: ast.expr) -> ast.expr:
    """Through `int(…)`, `field(default=…)` and the environment's default to what is changed."""
    if not isinstance(value, ast.Call):
        return value
    if _environment_name(value) is not None and len(value.args) > 1:
        return value.args[1]
    if isinstance(value.func, ast.Name) and value.func.id == "int" and len(value.args) == 1:
        return _inside(value.args[0])
    for keyword in value.keywords:
        if keyword.arg == "default":
            return _inside(keyword.value)
    return value


def size_of_expression(value: ast.expr) -> int | None:
    """The number that a literal, a string of digits or arithmetic of literals stands for."""
    match value:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int(number)):
            return number
        case ast.Constant(value=str(text)) if text.isascii() and text.isdecimal():
            return int(text)
        case ast.BinOp(left=left, op=operator, right=right):
            one, other = size_of_expression(left), size_of_expression(right)
            return None if one is None or other is None else _calculate(one, operator, other)
    return None


def _calculate(one: int, operator: ast.operator, other: int) -> int | None:
    match operator:
        case ast.Mult():
            return one * other
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.FloorDiv() if other:
            return one // other
        case ast.Pow() if 0 <= other <= 32:  # noqa: PLR2004 - no batch is larger, and 9**9**9 is a trap
            return int(one**other)
        case ast.LShift() if 0 <= other <= 32:  # noqa: PLR2004 - likewise
            return one << other
    return None


def _is_other_use(target: ast.expr) -> bool:
    """`val_loader = DataLoader(…, batch_size=256)` says nothing of training."""
    names = [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
    names += [node.attr for node in ast.walk(target) if isinstance(node, ast.Attribute)]
    return any(_OTHER_USES.search(name) for name in names)
