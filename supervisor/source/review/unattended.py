"""Where a call stands that nobody answers: whether it runs whenever the script does. Pure."""

import ast

from supervisor.source.review.facts import Facts
from supervisor.source.review.statements import Statement, is_certain
from supervisor.source.values import last_name


def always_runs(facts: Facts, statement: Statement) -> bool:
    """Whether no test, handler or unused function stands between the statement and the script's start.

    A loop is taken to run. What is in a `try` may be prepared for the worst, so it does not count.
    """
    for parent in statement.parents:
        if isinstance(parent, ast.If) and not is_certain(parent.test):
            return False
        if isinstance(parent, ast.Try | ast.ExceptHandler | ast.Match):
            return False
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and not _used(facts, parent):
            return False
    return not any(isinstance(node, ast.Lambda | ast.IfExp | ast.BoolOp) for node in statement.nodes())


def _used(facts: Facts, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether anything but its definition names it."""
    nodes = (node for statement in facts.near(function.name) for node in statement.nodes())
    return any(
        isinstance(node, ast.Name | ast.Attribute) and last_name(node) == function.name for node in nodes
    )
