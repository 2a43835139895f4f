"""A script, or its arguments, with another batch size or learning rate: those characters and nothing else.

Every edit of a script is proved before it is handed back: the old and the new text are both parsed and
compared node by node, and they may differ in the intended literals only.
"""

import ast
from collections.abc import Sequence
from itertools import zip_longest

from supervisor.source.answer import Literal, Located
from supervisor.source.numerals import as_written, numeral
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.values import rate_of, size_of, text_of

_LARGEST = 10**9
_HIGHEST_RATE = 100


class EditRefused(Exception):  # noqa: N818 - named for what happened; callers read it as a sentence
    """The edit was not made; the message says why and what to do."""


def change(source: bytes, located: Located, new: float) -> bytes:
    """The source with the located number set to `new`, at all its places: a size as a plain decimal number, a
    learning rate to six digits and in the way it is written now, with an exponent or without.

    Raises `EditRefused` where the source is not the one that was searched, or where the result would
    differ in anything but the intended literals.
    """
    new = _checked(located, new)
    if located.argument is not None or not located.places:
        raise EditRefused(
            f"the {_noun(located)} is set by an argument, not in the script; change the argument"
        )
    before = _parsed(source)
    places = sorted(located.places, key=lambda place: place.start)
    changed, at = [], 0
    for place in places:
        if not at <= place.start < place.end <= len(source):
            raise EditRefused(f"line {place.line} is not where it was; search the script again")
        old = source[place.start : place.end]
        # A number that is already the one asked for keeps the way it is written.
        written = old if place.value == new else before.encode(numeral(new, old.decode("ascii", "replace")))
        changed += [source[at : place.start], written]
        at = place.end
    result = b"".join([*changed, source[at:]])
    _verify(before, _parsed(result), places, new)
    return result


def change_args(args: Sequence[str], located: Located, new: float) -> tuple[str, ...]:
    """The arguments with the located number set to `new`; raises `EditRefused`."""
    new = _checked(located, new)
    argument = located.argument
    if argument is None:
        raise EditRefused(f"the {_noun(located)} is set in the script, not by an argument; change the script")
    if argument.index >= len(args) or args[argument.index] != argument.old:
        raise EditRefused(f"the argument {argument.flag} is not where it was; search the arguments again")
    return (
        *args[: argument.index],
        argument.with_size(numeral(new, argument.old.removeprefix(argument.prefix))),
        *args[argument.index + 1 :],
    )


def _checked(located: Located, new: float) -> int | float:
    """The number as it will be written."""
    if _is_rate(located):
        if not 0 < new <= _HIGHEST_RATE or not as_written(new):
            raise EditRefused(f"{new} is not a learning rate; give a number above 0, up to {_HIGHEST_RATE}")
        return as_written(new)
    if not 1 <= new <= _LARGEST or new != int(new):
        raise EditRefused(f"{new} is not a batch size; give a whole number from 1 to {_LARGEST}")
    return int(new)


def _is_rate(located: Located) -> bool:
    return isinstance(located.value, float)


def _noun(located: Located) -> str:
    return "learning rate" if _is_rate(located) else "batch size"


def _parsed(source: bytes) -> SourceText:
    try:
        return SourceText(source)
    except UnparsableError as error:
        raise EditRefused(f"the script cannot be parsed: {error}; mend it first") from error


def _verify(before: SourceText, after: SourceText, places: Sequence[Literal], new: float) -> None:
    """Raise unless the trees are equal but for one literal at each place, whose value is `new`."""
    pending = list(places)
    work: list[tuple[object, object]] = [(before.tree, after.tree)]
    while work:
        old, now = work.pop()
        place = _place_of(before, old, pending)
        if place is not None and isinstance(now, ast.Constant | ast.BinOp) and _number(now, place) == new:
            pending.remove(place)
            continue
        if type(old) is not type(now):
            raise EditRefused(
                "the edit would change more than the batch size or the learning rate; edit the script by hand"
            )
        if isinstance(old, ast.AST) and isinstance(now, ast.AST):
            work.extend((getattr(old, name, None), getattr(now, name, None)) for name in old._fields)
        elif isinstance(old, list) and isinstance(now, list):
            work.extend(zip_longest(old, now))
        elif old != now:
            raise EditRefused(
                "the edit would change more than the batch size or the learning rate; edit the script by hand"
            )
    if pending:
        raise EditRefused(f"line {pending[0].line} does not hold the number; search the script again")


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
        if (start + quote, end - quote) == (place.start, place.end) and _number(node, place) == place.value:
            return place
    return None


def _number(node: ast.expr, place: Literal) -> int | float | None:
    return rate_of(node) if isinstance(place.value, float) else size_of(node)
