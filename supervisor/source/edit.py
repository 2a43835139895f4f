"""New text with the batch size changed and nothing else. Pure.

The result is parsed and compared with the original, node by node, before anyone may write it.
"""

import ast
from collections.abc import Sequence

from supervisor.source.locate import Literal, Located, size_of_expression
from supervisor.source.tree import UnreadableError, parse


class EditRefused(Exception):  # noqa: N818 - not an error of the program: the answer is no
    """The edit would not be exactly the intended one; the message says why."""


def change(data: bytes, located: Located, new: int) -> bytes:
    """The script with its batch size changed to `new`; raises `EditRefused`."""
    if not located.places:
        raise EditRefused("the batch size does not stand in the script")
    changed = data
    for place in sorted(located.places, key=lambda place: place.start, reverse=True):
        changed = changed[: place.start] + _written(data, place, new) + changed[place.end :]
    _verify(data, changed, located.places, new)
    return changed


def change_args(args: Sequence[str], located: Located, new: int) -> tuple[str, ...]:
    """The arguments with the one that sets the batch size changed to `new`; raises `EditRefused`."""
    argument = located.argument
    if argument is None:
        raise EditRefused("no argument sets the batch size")
    changed = list(args)
    changed[argument.index] = f"{argument.prefix}{new}"
    return tuple(changed)


def _written(data: bytes, place: Literal, new: int) -> bytes:
    """The new number in the old one's quotes, if it had any."""
    old = data[place.start : place.end]
    quote = old[:1] if old[:1] in (b'"', b"'") else b""
    return quote + str(new).encode() + quote


def _verify(before: bytes, after: bytes, places: tuple[Literal, ...], new: int) -> None:
    try:
        old_tree, new_tree = parse(before), parse(after)
    except UnreadableError as error:
        raise EditRefused(f"the edited script does not parse: {error}") from error
    lines = {place.line for place in places}
    differing = _differences(old_tree.module, new_tree.module)
    sizes = [size_of_expression(node) for node in differing if isinstance(node, ast.expr)]
    placed = all(getattr(node, "lineno", 0) in lines for node in differing)
    values_differ = any(place.value != new for place in places)
    if values_differ and (len(differing) != len(places) or not placed or set(sizes) != {new}):
        raise EditRefused("the edit would change more than the batch size")


def _differences(old: ast.AST, new: ast.AST) -> list[ast.AST]:
    """The smallest nodes of `new` that are not as they were in `old`."""
    if type(old) is not type(new):
        return [new]
    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
        same = type(old.value) is type(new.value) and repr(old.value) == repr(new.value)
        return [] if same else [new]
    found: list[ast.AST] = []
    for name, one in ast.iter_fields(old):
        other = getattr(new, name, None)
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return [new]
            for first, second in zip(one, other, strict=True):
                if isinstance(first, ast.AST) and isinstance(second, ast.AST):
                    found += _differences(first, second)
                elif first != second:
                    return [new]
        elif isinstance(one, ast.AST) and isinstance(other, ast.AST):
            found += _differences(one, other)
        elif one != other:
            return [new]
    return found
