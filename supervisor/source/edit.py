"""A script, or its arguments, with another batch size: those characters changed and nothing else.

Every edit of a script is proved before it is handed back: the old and the new text are both parsed and
compared node by node, and they may differ in the intended literals only.
"""

import ast
from collections.abc import Sequence
from itertools import zip_longest

from supervisor.source.locate import Literal, Located
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.values import size_of, text_of

_LARGEST = 10**9


class EditRefused(Exception):  # noqa: N818 - named for what happened; callers read it as a sentence
    """The edit was not made; the message says why and what to do."""


def change(source: bytes, located: Located, new: int) -> bytes:
    """The source with the located size set to `new`, as a plain decimal number.

    Raises `EditRefused` where the source is not the one that was searched, or where the result would
    differ in anything but the intended literals.
    """
    _check(new)
    if located.argument is not None or not located.places:
        raise EditRefused("the batch size is set by an argument, not in the script; change the argument")
    before = _parsed(source)
    places = sorted(located.places, key=lambda place: place.start)
    changed, at = [], 0
    for place in places:
        if not at <= place.start < place.end <= len(source):
            raise EditRefused(f"line {place.line} is not where it was; search the script again")
        # A size that is already the one asked for keeps the way it is written.
        written = source[place.start : place.end] if place.value == new else before.encode(str(new))
        changed += [source[at : place.start], written]
        at = place.end
    result = b"".join([*changed, source[at:]])
    _verify(before, _parsed(result), places, new)
    return result


def change_args(args: Sequence[str], located: Located, new: int) -> tuple[str, ...]:
    """The arguments with the located size set to `new`; raises `EditRefused`."""
    _check(new)
    argument = located.argument
    if argument is None:
        raise EditRefused("the batch size is set in the script, not by an argument; change the script")
    if argument.index >= len(args) or args[argument.index] != argument.old:
        raise EditRefused(f"the argument {argument.flag} is not where it was; search the arguments again")
    return (*args[: argument.index], argument.with_size(new), *args[argument.index + 1 :])


def _check(new: int) -> None:
    if not 1 <= new <= _LARGEST:
        raise EditRefused(f"{new} is not a batch size; give a whole number from 1 to {_LARGEST}")


def _parsed(source: bytes) -> SourceText:
    try:
        return SourceText(source)
    except UnparsableError as error:
        raise EditRefused(f"the script cannot be parsed: {error}; mend it first") from error


def _verify(before: SourceText, after: SourceText, places: Sequence[Literal], new: int) -> None:
    """Raise unless the trees are equal but for one literal at each place, whose value is `new`."""
    pending = list(places)
    work: list[tuple[object, object]] = [(before.tree, after.tree)]
    while work:
        old, now = work.pop()
        place = _place_of(before, old, pending)
        if place is not None and isinstance(now, ast.Constant | ast.BinOp) and size_of(now) == new:
            pending.remove(place)
            continue
        if type(old) is not type(now):
            raise EditRefused("the edit would change more than the batch size; edit the script by hand")
        if isinstance(old, ast.AST) and isinstance(now, ast.AST):
            work.extend((getattr(old, name, None), getattr(now, name, None)) for name in old._fields)
        elif isinstance(old, list) and isinstance(now, list):
            work.extend(zip_longest(old, now))
        elif old != now:
            raise EditRefused("the edit would change more than the batch size; edit the script by hand")
    if pending:
        raise EditRefused(f"line {pending[0].line} does not hold the batch size; search the script again")


def _place_of(before: SourceText, node: object, pending: Sequence[Literal]) -> Literal | None:
    """The place whose literal this node is: the same bytes, or the digits inside its quotes."""
    if not isinstance(node, ast.Constant | ast.BinOp):
        return None
    lines = {place.line for place in pending}
    if node.lineno not in lines:
        return None
    start, end = before.span(node)
    quote = 1 if text_of(node) is not None else 0
    for place in pending:
        if (start + quote, end - quote) == (place.start, place.end) and size_of(node) == place.value:
            return place
    return None
