"""The statements of a script that may run, each with what stands around it. Pure.

Code under `if False`, `while 0` and `if TYPE_CHECKING` is not among them.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# The fields of a statement that hold statements: these stand in the list themselves.
_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(slots=True)
class Statement:
    """A statement: its own lines, without those of what it holds, and what holds it, the outermost first."""

    node: ast.stmt
    first: int
    last: int
    parents: tuple[ast.AST, ...]

    @property
    def function(self) -> str:
        """The name of the innermost function around it; empty at the top of a module or a class."""
        return next((item.name for item in reversed(self.parents) if isinstance(item, _FUNCTIONS)), "")

    def inside(self, *kinds: type[ast.AST]) -> ast.AST | None:
        """The innermost node of these kinds around it, within its function."""
        for item in reversed(self.parents):
            if isinstance(item, kinds):
                return item
            if isinstance(item, _FUNCTIONS):
                return None
        return None

    def nodes(self) -> Iterator[ast.AST]:
        """Its own expressions and their parts, without the statements that it holds."""
        work: list[ast.AST] = []
        for name in self.node._fields:
            value = getattr(self.node, name, None)
            if name in _BLOCKS and isinstance(value, list):
                continue
            if isinstance(value, ast.AST):
                work.append(value)
            elif isinstance(value, list):
                work += [item for item in value if isinstance(item, ast.AST)]
        while work:
            node = work.pop()
            yield node
            work.extend(ast.iter_child_nodes(node))


def live_statements(tree: ast.Module) -> list[Statement]:
    """All of them, in the order of the source."""
    found: list[Statement] = []
    work: list[tuple[list[ast.stmt], tuple[ast.AST, ...]]] = [(tree.body, ())]
    while work:
        block, parents = work.pop()
        for node in block:
            held = _held(node)
            if held is None:
                found.append(Statement(node, node.lineno, node.end_lineno or node.lineno, parents))
                continue
            found.append(Statement(node, _first(node), _last_of_head(node), parents))
            work += [(part, (*parents, node, *between)) for part, between in held]
    found.sort(key=lambda item: (item.first, item.node.col_offset))
    return found


def is_main(test: ast.expr) -> bool:
    """Whether a test is `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _held(node: ast.stmt) -> list[tuple[list[ast.stmt], tuple[ast.AST, ...]]] | None:
    """The blocks of a statement that may run, each with what stands between; None for a simple statement."""
    if isinstance(node, ast.If | ast.While):
        truth = _truth(node.test)
        return [
            *([(node.body, ())] if truth is not False else []),
            *([(node.orelse, ())] if truth is not True or isinstance(node, ast.While) else []),
        ]
    if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
        handlers = [(item.body, (item,)) for item in getattr(node, "handlers", ())]
        rest = [(getattr(node, name), ()) for name in ("body", "orelse", "finalbody")]
        return [*rest, *handlers]
    if isinstance(node, ast.Match):
        return [(case.body, ()) for case in node.cases]
    if isinstance(node, ast.For | ast.AsyncFor):
        return [(node.body, ()), (node.orelse, ())]
    if isinstance(node, ast.With | ast.AsyncWith | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [(node.body, ())]
    return None


def _truth(test: ast.expr) -> bool | None:
    """What a test always is; None where that depends."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return False if name == "TYPE_CHECKING" else None


def _first(node: ast.stmt) -> int:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return min(node.lineno, *(item.lineno for item in node.decorator_list), node.lineno)
    return node.lineno


def _last_of_head(node: ast.stmt) -> int:
    body = node.cases[0].body if isinstance(node, ast.Match) else getattr(node, "body", [])
    return max(node.lineno, _first(body[0]) - 1) if body else node.lineno
