"""The values that an expression may have, as far as the script's text tells. Pure.

A rule finds fault only where every possible value is at fault, so what cannot be followed is left alone.
"""

import ast
import itertools
import operator
from collections.abc import Callable

from supervisor.source.forms import Place
from supervisor.source.review.facts import Facts
from supervisor.source.values import callee, keyword, unwrap

Value = int | float | bool | str | None
Values = frozenset[Value]

_MOST_STEPS = 200
_MOST_VALUES = 16
_DEEPEST = 24
_LARGEST = 10**9
_COUNTS_CORES = frozenset({"cpu_count", "process_cpu_count"})
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def possible_values(facts: Facts, node: ast.expr, place: Place) -> Values | None:
    """All values that the expression may have, or None where that is not known."""
    return _Search(facts).values(node, place, 0)


def possible_argument(
    facts: Facts, call: ast.Call, place: Place, name: str, *, position: int | None, default: Value
) -> tuple[Values | None, ast.expr]:
    """What a call may be given under a name, and the expression that says so: the call where none does.

    `default` is what the called would take by itself. Options passed by `**` are followed by their key.
    """
    value = keyword(call, name)
    if value is None and position is not None and len(call.args) > position:
        value = call.args[position]
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None, call
    if value is not None:
        return possible_values(facts, value, place), value
    options = [item.value for item in call.keywords if item.arg is None]
    if not options:
        return frozenset({default}), call
    if len(options) > 1:
        return None, call
    key = ast.copy_location(ast.Constant(name), options[0])
    entry = ast.copy_location(ast.Subscript(options[0], key, ast.Load()), options[0])
    return possible_values(facts, entry, place), options[0]


class _Search:
    """One walk from an expression to its values, bounded in steps and in depth."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._steps = 0

    def values(self, node: ast.expr, place: Place, depth: int) -> Values | None:
        self._steps += 1
        if self._steps > _MOST_STEPS or depth > _DEEPEST:
            return None
        node, _ = unwrap(node)
        found = self._written(node, place, depth + 1)
        return None if found is None or len(found) > _MOST_VALUES else found

    def _written(self, node: ast.expr, place: Place, depth: int) -> Values | None:
        if isinstance(node, ast.Constant):
            value = node.value
            return frozenset({value}) if value is None or isinstance(value, int | float | str) else None
        if isinstance(node, ast.IfExp):
            return self._union([(node.body, place), (node.orelse, place)], depth)
        if isinstance(node, ast.BoolOp):
            return self._first_true(node, place, depth) if isinstance(node.op, ast.Or) else None
        if isinstance(node, ast.BinOp):
            return self._combined(_ARITHMETIC.get(type(node.op)), [node.left, node.right], place, depth)
        if isinstance(node, ast.Call) and callee(node) != "get":
            return self._called(node, place, depth)
        sites = self._facts.stands_for(node, place)
        if not sites:
            return None
        bound = [(site.value, site.place) for site in sites if site.value is not None]
        return self._union(bound, depth) if len(bound) == len(sites) else None

    def _called(self, call: ast.Call, place: Place, depth: int) -> Values | None:
        name = callee(call)
        inner = call.args[0] if len(call.args) == 1 else None
        counted = name == "len" and isinstance(inner, ast.Call) and callee(inner) == "sched_getaffinity"
        if name in _COUNTS_CORES or counted:
            return frozenset({self._facts.machine.cores})
        if name in {"min", "max"} and len(call.args) == 2 and not call.keywords:  # noqa: PLR2004 - a pair
            return self._combined(min if name == "min" else max, call.args, place, depth)
        return None

    def _union(self, parts: list[tuple[ast.expr, Place]], depth: int) -> Values | None:
        found: set[Value] = set()
        for node, place in parts:
            values = self.values(node, place, depth)
            if values is None:
                return None
            found |= values
        return frozenset(found)

    def _first_true(self, node: ast.BoolOp, place: Place, depth: int) -> Values | None:
        found: set[Value] = set()
        for part in node.values:
            values = self.values(part, place, depth)
            if values is None:
                return None
            found |= {value for value in values if value}
            if all(values):
                return frozenset(found)
        return None

    def _combined(
        self,
        combine: Callable[[float, float], float] | None,
        parts: list[ast.expr],
        place: Place,
        depth: int,
    ) -> Values | None:
        sides = [self.values(part, place, depth) for part in parts]
        if combine is None or any(side is None for side in sides):
            return None
        found: set[Value] = set()
        for left, right in itertools.product(*(side for side in sides if side is not None)):
            if not isinstance(left, int | float) or not isinstance(right, int | float):
                return None
            if max(abs(left), abs(right)) > _LARGEST:
                return None
            try:
                found.add(combine(left, right))
            except ZeroDivisionError:
                return None
        return frozenset(found)
