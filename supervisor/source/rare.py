"""Conditions that say of themselves that a default run does not meet them: `if cfg.debug`, `if overfit`."""

import ast
from collections.abc import Iterable
from itertools import pairwise

from supervisor.source.names import words
from supervisor.source.values import last_name, text_of

_RARE = frozenset({"debug", "debugging", "overfit", "overfitting", "sanity", "dryrun", "smoketest"})
_RARE_PAIRS = frozenset(
    {
        ("dry", "run"),
        ("dev", "run"),
        ("test", "run"),
        ("quick", "run"),
        ("quick", "test"),
        ("smoke", "test"),
        ("smoke", "run"),
    }
)
_NEGATING = frozenset({"no", "not", "non", "disable", "disabled", "skip", "without"})


def rarely(test: ast.expr) -> bool | None:
    """True where a condition is rarely met, False where it mostly is; None where its names say nothing."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = rarely(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = {rarely(part) for part in test.values}
        decisive = isinstance(test.op, ast.And)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, test.ops[0], test.comparators[0])
    if isinstance(test, ast.Call) and text_of(test.args[0] if test.args else None):
        return True if _is_rare(text_of(test.args[0]) or "") else None
    return True if _is_rare(last_name(test)) else None


def asked_for(args: Iterable[str]) -> bool:
    """Whether the arguments speak of such a run."""
    return any(_is_rare(part) for part in args)


def _compared(left: ast.expr, how: ast.cmpop, right: ast.expr) -> bool | None:
    """`mode == "debug"`, `debug is True`, `overfit_batches > 0`."""
    said = text_of(right) or text_of(left)
    if said is not None and _is_rare(said):
        return True if isinstance(how, ast.Eq) else False if isinstance(how, ast.NotEq) else None
    if not _is_rare(last_name(left)) or not isinstance(right, ast.Constant):
        return None
    met = bool(right.value) is isinstance(how, ast.Eq | ast.Is)
    if isinstance(how, ast.Gt):
        return True if right.value == 0 else None
    return met if isinstance(how, ast.Eq | ast.Is | ast.NotEq | ast.IsNot) else None


def _is_rare(name: str) -> bool:
    found = words(name)
    if not _NEGATING.isdisjoint(found):
        return False
    return not _RARE.isdisjoint(found) or any(pair in _RARE_PAIRS for pair in pairwise(found))
