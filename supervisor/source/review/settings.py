"""Settings of a script by their names: passed to a call, assigned, or kept in a dict. Pure."""

import ast
from collections.abc import Collection, Iterator

from supervisor.source.review.bindings import assigned
from supervisor.source.review.facts import Facts
from supervisor.source.review.statements import Statement
from supervisor.source.values import last_name, text_of


def settings_of(
    facts: Facts, names: Collection[str], passed_only: Collection[str] = ()
) -> Iterator[tuple[ast.expr, Statement]]:
    """Every value that stands under one of these lower-case names, and of the others as a keyword only."""
    for statement in facts.near(*names, *passed_only):
        for target, value in assigned(statement.node):
            if isinstance(target, ast.expr) and last_name(target).lower() in names:
                yield value, statement
        for part in statement.nodes():
            if isinstance(part, ast.keyword) and (part.arg in names or part.arg in passed_only):
                yield part.value, statement
            elif isinstance(part, ast.Dict):
                for key, value in zip(part.keys, part.values, strict=True):
                    if (text_of(key) or "").lower() in names:
                        yield value, statement
