"""What a call is for, training or evaluation, as the names around it tell. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.names import Purpose, purpose_of
from supervisor.source.review.bindings import assigned
from supervisor.source.review.facts import Call
from supervisor.source.review.statements import FUNCTIONS
from supervisor.source.values import identifiers, text_of


def purpose_of_call(call: Call, data: ast.expr | None) -> Purpose | None:
    """What the nearest name says that says anything: of the data, of what is assigned to, of the function."""
    for name in (identifiers(data), *_names_around(call)):
        found = purpose_of(name)
        if found is not None:
            return found
    return None


def _names_around(call: Call) -> Iterator[str]:
    """The keywords and keys under which the call stands, its target, its functions and classes."""
    statement = call.at.node
    parents = {id(part): node for node in call.at.nodes() for part in ast.iter_child_nodes(node)}
    around = {id(call.node)}
    node: ast.AST = call.node
    while (parent := parents.get(id(node))) is not None:
        if isinstance(parent, ast.keyword) and parent.arg:
            yield parent.arg
        elif isinstance(parent, ast.Dict):
            yield from (
                text_of(key) or ""
                for key, item in zip(parent.keys, parent.values, strict=True)
                if item is node
            )
        around.add(id(parent))
        node = parent
    # Of `a, b = f(), g()` the parts come after the whole.
    for target, value in reversed(list(assigned(statement))):
        if id(value) in around:
            yield identifiers(target) if isinstance(target, ast.expr) else ""
    for item in reversed(call.at.parents):
        if isinstance(item, (*FUNCTIONS, ast.ClassDef)):
            yield item.name
