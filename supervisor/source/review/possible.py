"""The values that an expression may have, as far as the script's text tells. Pure.

A rule finds fault only where every possible value is at fault, so what cannot be followed is left alone.
"""

import ast
import itertools
import operator
from collections.abc import Callable

from supervisor.source.review.bindings import bound_to
from supervisor.source.review.facts import Call, Facts
from supervisor.source.review.statements import Statement
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


def possible_values(facts: Facts, node: ast.expr, at: Statement) -> Values | None:
    """All values that the expression may have, or None where that is not known."""
    return _Search(facts).values(node, at, 0)


def possible_argument(
    facts: Facts, call: Call, name: str, *, position: int | None, default: Value
) -> tuple[Values | None, ast.expr]:
    """What a call may be given under a name, and the expression that says so: the call where none does.

    `default` is what the called would take by itself. Options passed by `**` are followed by their key.
    """
    node = call.node
    value = keyword(node, name)
    if value is None and position is not None and len(node.args) > position:
        value = node.args[position]
    if any(isinstance(item, ast.Starred) for item in node.args):
        return None, node
    if value is not None:
        return possible_values(facts, value, call.at), value
    options = [item.value for item in node.keywords if item.arg is None]
    if not options:
        return frozenset({default}), node
    if len(options) > 1:
        return None, node
    key = ast.copy_location(ast.Constant(name), options[0])
    entry = ast.copy_location(ast.Subscript(options[0], key, ast.Load()), options[0])
    return possible_values(facts, entry, call.at), options[0]


class _Search:
    """One walk from an expression to its values, bounded in steps and in depth."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._steps = 0

    def values(self, node: ast.expr, at: Statement, depth: int) -> Values | None:
        self._steps += 1
        if self._steps > _MOST_STEPS or depth > _DEEPEST:
            return None
        node, _ = unwrap(node)
        found = self._written(node, at, depth + 1)
        return None if found is None or len(found) > _MOST_VALUES else found

    def _written(self, node: ast.expr, at: Statement, depth: int) -> Values | None:
        if isinstance(node, ast.Constant):
            value = node.value
            return frozenset({value}) if value is None or isinstance(value, int | float | str) else None
        if isinstance(node, ast.IfExp):
            return self._union([(node.body, at), (node.orelse, at)], depth)
        if isinstance(node, ast.BoolOp):
            return self._first_true(node, at, depth) if isinstance(node.op, ast.Or) else None
        if isinstance(node, ast.BinOp):
            return self._combined(_ARITHMETIC.get(type(node.op)), [node.left, node.right], at, depth)
        if isinstance(node, ast.Call) and callee(node) != "get":
            return self._called(node, at, depth)
        bindings = bound_to(self._facts, node, at)
        if not bindings or len(bindings) > _MOST_VALUES:
            return None
        bound = [(item.value, item.at) for item in bindings if item.value is not None]
        return self._union(bound, depth) if len(bound) == len(bindings) else None

    def _called(self, call: ast.Call, at: Statement, depth: int) -> Values | None:
        name = callee(call)
        inner = call.args[0] if len(call.args) == 1 else None
        counted = name == "len" and isinstance(inner, ast.Call) and callee(inner) == "sched_getaffinity"
        if name in _COUNTS_CORES or counted:
            return frozenset({self._facts.machine.cores})
        if name in {"min", "max"} and len(call.args) == 2 and not call.keywords:  # noqa: PLR2004 - a pair
            return self._combined(min if name == "min" else max, call.args, at, depth)
        return None

    def _union(self, parts: list[tuple[ast.expr, Statement]], depth: int) -> Values | None:
        found: set[Value] = set()
        for node, at in parts:
            values = self.values(node, at, depth)
            if values is None:
                return None
            found |= values
        return frozenset(found)

    def _first_true(self, node: ast.BoolOp, at: Statement, depth: int) -> Values | None:
        found: set[Value] = set()
        for part in node.values:
            values = self.values(part, at, depth)
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
        at: Statement,
        depth: int,
    ) -> Values | None:
        sides = [self.values(part, at, depth) for part in parts]
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
