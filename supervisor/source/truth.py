"""Whether a condition holds in a default run, as far as constants and options say."""

import ast
import operator
from collections.abc import Callable

from supervisor.source.places import Place
from supervisor.source.rare import asked_for, rarely
from supervisor.source.steps import Kind, Search, Step
from supervisor.source.values import callee, identifiers, reads_environment

_Value = int | float | str | bool | None
_COMPARISONS: dict[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_ORDERS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_DEEPEST = 6


class Truth:
    """The truth of conditions; a condition that hangs on itself is not known."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._known: dict[tuple[int, int], bool | None] = {}

    def of(self, test: ast.expr, place: Place) -> bool | None:
        """True or False where every possible value says so, else None."""
        key = (id(test), id(place.scope))
        if key not in self._known:
            if len(self._known) > 500:  # noqa: PLR2004 - no script decides its size by so many conditions
                return None
            self._known[key] = None
            known = self._of(test, place, 0)
            self._known[key] = self._usual(test) if known is None else known
        return self._known[key]

    def _usual(self, test: ast.expr) -> bool | None:
        """What a run that is not for debugging and its like has, unless the arguments ask for one."""
        rare = None if asked_for(self._search.args) else rarely(test)
        return None if rare is None else not rare

    def _of(self, test: ast.expr, place: Place, depth: int) -> bool | None:
        if depth > _DEEPEST:
            return None
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._of(test.operand, place, depth + 1)
            return None if inner is None else not inner
        if isinstance(test, ast.BoolOp):
            parts = [self._of(part, place, depth + 1) for part in test.values]
            decisive = isinstance(test.op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._compared(test.left, test.ops[0], test.comparators[0], place)
        value = self._constant(test, place)
        return None if value is _UNKNOWN else bool(value)

    def _compared(self, left: ast.expr, how: ast.cmpop, right: ast.expr, place: Place) -> bool | None:
        if isinstance(how, ast.In | ast.NotIn):
            return self._within(left, how, right, place)
        one, other = self._constant(left, place), self._constant(right, place)
        if one is _UNKNOWN or other is _UNKNOWN:
            return None
        if type(how) in _COMPARISONS:
            return _COMPARISONS[type(how)](one, other)
        if type(how) in _ORDERS and isinstance(one, int | float) and isinstance(other, int | float):
            return _ORDERS[type(how)](one, other)
        return None

    def _within(self, left: ast.expr, how: ast.cmpop, right: ast.expr, place: Place) -> bool | None:
        if identifiers(right).startswith("environ"):
            # The environment is as good as empty to a default run.
            return isinstance(how, ast.NotIn)
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            return None
        value = self._constant(left, place)
        values = [item.value for item in right.elts if isinstance(item, ast.Constant)]
        if value is _UNKNOWN or len(values) != len(right.elts):
            return None
        return (value in values) is isinstance(how, ast.In)

    def _constant(self, node: ast.expr, place: Place) -> object:
        """The one value that an expression has, or `_UNKNOWN`."""
        if isinstance(node, ast.Constant):
            return node.value
        if (
            isinstance(node, ast.Call)
            and reads_environment(node)
            and len(node.args) + len(node.keywords) == 1
        ):
            return None
        if (
            isinstance(node, ast.Call)
            and callee(node) == "len"
            and identifiers(node.args[0]).startswith("argv")
        ):
            return 1 + len(self._search.args)
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            return _UNKNOWN
        found: set[object] = set()
        for end in self._search.resolve(Step(node, place)):
            inner = end.step.node
            if (
                isinstance(inner, ast.Call)
                and callee(inner) in {"bool", "int", "str"}
                and len(inner.args) == 1
            ):
                inner = inner.args[0]
            if end.kind is not Kind.EXPRESSION or not isinstance(inner, ast.Constant):
                return _UNKNOWN
            found.add(inner.value)
        return found.pop() if len(found) == 1 else _UNKNOWN


_UNKNOWN = object()
