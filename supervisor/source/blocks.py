"""Statements inside statements: the blocks of each, and under which conditions a block runs."""

import ast
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from supervisor.source.names import purpose_of_code
from supervisor.source.places import Guard, Place, Scope
from supervisor.source.values import identifiers, text_of


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in a row, and where they stand."""

    body: Sequence[ast.stmt]
    place: Place
    first_lines: list[int] = field(default_factory=list)

    def on_line(self, line: int) -> list[ast.stmt]:
        """The statements that have a part on that line; several where `;` stands between them."""
        if not self.first_lines:
            self.first_lines.extend(map(_first_line, self.body))
        at = bisect_right(self.first_lines, line)
        found: list[ast.stmt] = []
        while at > 0:
            at -= 1
            node = self.body[at]
            if (node.end_lineno or node.lineno) < line:
                break
            found.append(node)
        return found[::-1]


def inside(node: ast.stmt, place: Place) -> Place:
    """The place of a function's or a class's own statements; of any other node, its own place."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        scope = Scope("function", node.name, place.scope, fields=False, node=node)
        return Place(scope, (), purpose_of_code(node.name) or place.purpose)
    if isinstance(node, ast.ClassDef):
        scope = Scope("class", node.name, place.scope, has_fields(node), node)
        return Place(scope, place.guards, purpose_of_code(node.name) or place.purpose)
    return place


def blocks_of(node: ast.stmt, place: Place, inner: Place) -> Iterator[Block]:
    """The blocks of a compound statement; none of any other, and none of what can never run."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield Block(node.body, inner)
    elif isinstance(node, ast.If):
        yield from _branches(node, place)
    elif isinstance(node, ast.While):
        if not isinstance(node.test, ast.Constant) or node.test.value:
            yield Block(node.body, _guarded(place, Guard(node, loop=True)))
        yield Block(node.orelse, place)
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield Block(node.body, _guarded(place, Guard(node, loop=True)))
        yield Block(node.orelse, place)
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield Block(node.body, place)
    elif isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        yield from _tried(node, place)
    elif isinstance(node, ast.Match):
        for case in node.cases:
            yield Block(case.body, _guarded(place, Guard(case)))


def heads_of(node: ast.stmt) -> list[ast.expr]:
    """The expressions of a compound statement that stand outside its blocks."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [item for item in (*node.args.defaults, *node.args.kw_defaults) if item is not None]
        return [*node.decorator_list, *defaults]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(item.value for item in node.keywords)]
    if isinstance(node, ast.If | ast.While):
        return [node.test]
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter]
    if isinstance(node, ast.With | ast.AsyncWith):
        return [item.context_expr for item in node.items]
    return [node.subject] if isinstance(node, ast.Match) else []


def is_compound(node: ast.stmt) -> bool:
    """Whether it has blocks."""
    return hasattr(node, "body") or isinstance(node, ast.Match)


def has_fields(node: ast.ClassDef) -> bool:
    """Whether the class's attributes are the parameters by which it is made: a dataclass and its like."""
    marks = [*node.decorator_list, *node.bases]
    names = [identifiers(mark) for mark in marks]
    return any(
        "dataclass" in name
        or name.endswith(("BaseModel", "NamedTuple", "BaseSettings", "PretrainedConfig"))
        or name in {"attrs", "attr_s", "define", "frozen", "s_attr", "define_attr", "define_attrs"}
        for name in names
    )


def _first_line(node: ast.stmt) -> int:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno


def _branches(node: ast.If, place: Place) -> Iterator[Block]:
    constant = node.test.value if isinstance(node.test, ast.Constant) else None
    known = isinstance(node.test, ast.Constant)
    if not known or constant:
        # What runs when the script runs as a script always runs here.
        certain = known or _is_main(node.test)
        yield Block(node.body, place if certain else _guarded(place, Guard(node, node.test)))
    if not (known and constant) and node.orelse:
        yield Block(node.orelse, place if known else _guarded(place, Guard(node, node.test, branch=False)))


def _tried(node: ast.stmt, place: Place) -> Iterator[Block]:
    yield Block(getattr(node, "body"), _guarded(place, Guard(node)))  # noqa: B009 - of two kinds of node
    for handler in getattr(node, "handlers"):  # noqa: B009
        yield Block(handler.body, _guarded(place, Guard(handler)))
    yield Block(getattr(node, "orelse"), _guarded(place, Guard(node)))  # noqa: B009
    yield Block(getattr(node, "finalbody"), place)  # noqa: B009


def _guarded(place: Place, guard: Guard) -> Place:
    return replace(place, guards=(*place.guards, guard))


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and text_of(test.comparators[0]) == "__main__"
    )
