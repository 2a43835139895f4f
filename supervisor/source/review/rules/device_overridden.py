"""`device-overridden`: the script uses the GPU that it was given. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.statements import Statement
from supervisor.source.review.unattended import always_runs
from supervisor.source.values import last_name, text_of

RULE = Rule(
    id="device-overridden",
    severity=Severity.WARNING,
    summary="the script chooses its GPU by itself",
    looks_for='`os.environ["CUDA_VISIBLE_DEVICES"] = …` of a written value outside of any `if` and `try`; '
    'of "0" only for '
    "information, since there may be no other GPU",
    fix="take it out, or use os.environ.setdefault: a run finds its GPU in CUDA_VISIBLE_DEVICES already",
    why="the run then trains on another GPU than the one it holds and is measured on, or on none",
)
_NAME = "CUDA_VISIBLE_DEVICES"
_FIRST = "0"


def check(facts: Facts) -> Iterator[Finding]:
    """Only what is set whenever the script runs."""
    for statement in facts.near(_NAME.lower()):
        value = _value(statement)
        text = text_of(value)
        if value is not None and text is not None and always_runs(facts, statement):
            yield RULE.finding(
                facts,
                value,
                found=f"{_NAME} set to {text!r}",
                expected="the GPU that the run was given",
                severity=Severity.INFO if text == _FIRST else RULE.severity,
            )


def _value(statement: Statement) -> ast.expr | None:
    node = statement.node
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Subscript):
        return None
    target = node.targets[0]
    named = text_of(target.slice) == _NAME and last_name(target.value) == "environ"
    return node.value if named else None
