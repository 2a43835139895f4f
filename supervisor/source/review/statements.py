"""The statements of a script that may run, each with what stands around it. Pure.

Code under `if False`, `while 0` and `if TYPE_CHECKING` is not among them.
"""

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The fields of a statement that hold statements: these stand in the list themselves.
_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})
_COMPOUND = frozenset(
    {ast.If, ast.While, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Match, ast.Try}
    | {ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef}
    | ({ast.TryStar} if hasattr(ast, "TryStar") else set())
)
Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(slots=True)
class Statement:
    """A statement: its own lines, without those of what it holds, and what holds it, the outermost first."""

    node: ast.stmt
    first: int
    last: int
    parents: tuple[ast.AST, ...]
    _nodes: tuple[ast.AST, ...] | None = None

    @property
    def scope(self) -> Function | ast.ClassDef | None:
        """The innermost function or class around it, None at the top of the module."""
        kinds = (*FUNCTIONS, ast.ClassDef)
        return next((item for item in reversed(self.parents) if isinstance(item, kinds)), None)

    @property
    def function(self) -> str:
        """The name of the innermost function around it; empty at the top of a module or a class."""
        return next((item.name for item in reversed(self.parents) if isinstance(item, FUNCTIONS)), "")

    def inside(self, *kinds: type[ast.AST]) -> ast.AST | None:
        """The innermost node of these kinds around it, within its function."""
        for item in reversed(self.parents):
            if isinstance(item, kinds):
                return item
            if isinstance(item, FUNCTIONS):
                return None
        return None

    def nodes(self) -> tuple[ast.AST, ...]:
        """Its own expressions and their parts, without the statements that it holds."""
        if self._nodes is None:
            self._nodes = tuple(_expressions(self.node))
        return self._nodes


class Statements:
    """All live statements of a script in the order of its text, found by the lines on which they stand."""

    def __init__(self, tree: ast.Module) -> None:
        self._all = _live(tree)
        self._firsts = [item.first for item in self._all]

    def __iter__(self) -> Iterator[Statement]:
        return iter(self._all)

    def on(self, lines: Iterable[int]) -> Iterator[Statement]:
        """The statements on any of these lines, which come in order, each once."""
        done = 0
        for line in lines:
            end = bisect_right(self._firsts, line)
            start = bisect_left(self._firsts, self._firsts[end - 1], 0, end) if end else 0
            for at in range(max(start, done), end):
                if self._all[at].last >= line:
                    yield self._all[at]
            done = max(done, end) if end and self._all[end - 1].last >= line else done

    def around(self, line: int, lines: int) -> tuple[int, int]:
        """The first and the last line of what stands around a line, of so many in the script.

        That is the statements on it, or what lies between the one above and the one below: no string and
        no bracket is open at either end.
        """
        end = bisect_right(self._firsts, line)
        above = self._all[end - 1] if end else None
        if above is not None and above.last >= line:
            return above.first, above.last
        below = self._firsts[end] - 1 if end < len(self._firsts) else lines
        return (above.last + 1 if above is not None else 1), below


def _live(tree: ast.Module) -> list[Statement]:
    found: list[Statement] = []
    work: list[tuple[list[ast.stmt], tuple[ast.AST, ...]]] = [(tree.body, ())]
    while work:
        block, parents = work.pop()
        for node in block:
            if type(node) not in _COMPOUND:
                found.append(Statement(node, node.lineno, node.end_lineno or node.lineno, parents))
                continue
            found.append(Statement(node, _first(node), _last_of_head(node), parents))
            work += [(part, (*parents, node, *between)) for part, between in _held(node)]
    found.sort(key=lambda item: (item.first, item.node.col_offset))
    return found


def is_certain(test: ast.expr) -> bool:
    """Whether a test always holds in a script: a constant, or `__name__ == "__main__"`."""
    if isinstance(test, ast.Constant):
        return True
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _held(node: ast.stmt) -> list[tuple[list[ast.stmt], tuple[ast.AST, ...]]]:
    """The blocks of a statement that may run, each with what stands between."""
    if isinstance(node, ast.If | ast.While):
        truth = _truth(node.test)
        return [
            *([(node.body, ())] if truth is not False else []),
            *([(node.orelse, ())] if truth is not True or isinstance(node, ast.While) else []),
        ]
    if isinstance(node, ast.Match):
        return [(case.body, ()) for case in node.cases]
    blocks = [(getattr(node, name, []), ()) for name in ("body", "orelse", "finalbody")]
    return [*blocks, *((item.body, (item,)) for item in getattr(node, "handlers", ()))]


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


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    work = [
        item
        for name, value in ast.iter_fields(statement)
        if not (name in _BLOCKS and isinstance(value, list))
        for item in (value if isinstance(value, list) else (value,))
        if isinstance(item, ast.AST)
    ]
    while work:
        node = work.pop()
        yield node
        # `ast.iter_child_nodes` takes twice as long, and this is most of what a review costs.
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                work += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                work.append(value)
