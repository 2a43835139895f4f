"""The number that a caller chose as the batch size by its line: told once, found again, or not at all."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.domain.sizing import SizePlace
from supervisor.source.answer import Literal, Located, Uncertain
from supervisor.source.index import Index
from supervisor.source.names import is_batch_size
from supervisor.source.options import option_name
from supervisor.source.places import Form, Place, Scope, Site
from supervisor.source.steps import Step
from supervisor.source.telling import MOST_CANDIDATES, literal
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.topics import BATCH_SIZE
from supervisor.source.trace import Origin
from supervisor.source.values import callee, size_of, unwrap

_LINE_END = re.compile(rb"\r\n|\r|\n")
_HOLE = b"\xe2\x80\xa6"
_WHY = "a number of the script"


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A number of the script, and its line with a hole in its place behind the names of what is around it."""

    place: Literal
    last_line: int
    text: str


def choose(source: bytes, line: int) -> SizePlace | Uncertain:
    """The only number on the line that can be the batch size, or why there is none and what stands there."""
    try:
        found = _numbers(SourceText(source))
    except UnparsableError as error:
        return Uncertain(f"The script cannot be searched for line {line}: {error}.")
    there = [item for item in found if item.place.line <= line <= item.last_line]
    named = [item for item in there if is_batch_size(item.place.name)]
    picked = named if len(named) == 1 or len(there) > 1 else there
    if len(picked) != 1:
        return _no_choice(line, there, found)
    same = _same(found, picked[0].place.name, picked[0].text)
    place = picked[0].place
    return SizePlace(place.line, place.name, picked[0].text, same.index(picked[0]) + 1, len(same))


def find_chosen(source: bytes, chosen: SizePlace) -> Located | Uncertain:
    """The chosen number as it stands now. Where its line or their count has changed, nothing is guessed."""
    try:
        found = _numbers(SourceText(source))
    except UnparsableError as error:
        return Uncertain(f"The script cannot be searched for a batch size: {error}.")
    same = _same(found, chosen.name, chosen.text)
    if len(same) != chosen.of:
        was = f"{chosen.name} was chosen as the batch size on line {chosen.line}"
        why = f"{was}, and does not stand there as it did; submit again with batch_size_at."
        return Uncertain(why, tuple(item.place for item in same))
    place = same[chosen.nth - 1].place
    why = f"{place.form} {place.name} on line {place.line}, chosen by the caller"
    return Located(place.value, (place,), None, why, (why,))


def _same(found: list[_Numbered], name: str, text: str) -> list[_Numbered]:
    return [item for item in found if (item.place.name, item.text) == (name, text)]


def _no_choice(line: int, there: list[_Numbered], found: list[_Numbered]) -> Uncertain:
    if there:
        names = ", ".join(f"{item.place.name} = {item.place.value}" for item in there[:MOST_CANDIDATES])
        what = f"line {line} has {len(there)} numbers ({names}); give the batch size a line of its own"
        return Uncertain(what, tuple(item.place for item in there[:MOST_CANDIDATES]))
    named = [item.place for item in found if is_batch_size(item.place.name)][:MOST_CANDIDATES]
    return Uncertain(
        f"line {line} has no number that could be a batch size; name a line that has", tuple(named)
    )


def _numbers(text: SourceText) -> list[_Numbered]:
    """Every whole number of the script that can be changed, in the order of the source."""
    names = _names(text)
    starts = [0, *(end.end() for end in _LINE_END.finditer(text.source))]
    found: list[_Numbered] = []
    for node in _sizes(text.tree):
        site = names.get(id(node)) or Site(
            "a number", Form.KEYWORD, node, node.lineno, Place(Index(_EMPTY).module)
        )
        origin = Origin(node, site, site.form, size_of(node) or 0, Step(node, site.place))
        place = literal(text, BATCH_SIZE, origin, _WHY)
        if place is None:
            continue
        last = node.end_lineno or node.lineno
        begin, end = starts[node.lineno - 1], starts[last] if last < len(starts) else len(text.source)
        line = text.source[begin : place.start] + _HOLE + text.source[place.end : end]
        shown = f"{_within(site.place.scope)}{line.decode('utf-8', 'replace').strip()}"
        found.append(_Numbered(place, last, shown))
    return sorted(found, key=lambda item: item.place.start)


_EMPTY = ast.Module([], [])


def _within(scope: Scope | None) -> str:
    """The functions and classes around a number: two lines may read the same and mean different loaders."""
    names: list[str] = []
    while scope is not None and scope.parent is not None:
        names.append(scope.name)
        scope = scope.parent
    return "".join(f"{name}: " for name in reversed(names))


def _sizes(tree: ast.AST) -> Iterator[ast.expr]:
    """The outermost expressions that are a size; what stands in an f-string has no place of its own."""
    work = [tree]
    while work:
        node = work.pop()
        if isinstance(node, ast.Constant | ast.BinOp) and size_of(node) is not None:
            yield node
        elif not isinstance(node, ast.JoinedStr):
            work.extend(ast.iter_child_nodes(node))


def _names(text: SourceText) -> dict[int, Site]:
    """What each number is bound to, by the identity of its node."""
    found = Index(text.tree)
    names: dict[int, Site] = {}
    for calls in found.calls.values():
        for call, place in calls:
            for item in call.args:
                names[id(unwrap(item)[0])] = Site(
                    callee(call) or "call", Form.KEYWORD, item, item.lineno, place
                )
            for keyed in call.keywords:
                name = option_name(call) if keyed.arg == "default" else ""
                form = Form.OPTION if name else Form.KEYWORD
                value = keyed.value
                names[id(unwrap(value)[0])] = Site(name or keyed.arg or "", form, value, value.lineno, place)
    for site in found.sites:
        if site.value is not None:
            names[id(unwrap(site.value)[0])] = site
    return names
