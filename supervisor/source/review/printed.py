"""The lines that a script may print, read as the log's reader would read them. Pure.

The strings of the script are filled in with ones and given to the reader of the logs: what that reads
while training runs is what counts here.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from supervisor.output.formats import COUNTER_NEEDLES, NEEDLES, RATIOS, parse
from supervisor.output.records import MemoryUsed, Progress, Record, Resources
from supervisor.source.review.lines import Lines
from supervisor.source.review.statements import Statement

_ALONE = tuple(needle.decode() for needle in NEEDLES)
_COUNTERS = tuple(needle.decode() for needle in COUNTER_NEEDLES)
_RATIOS = tuple(needle.decode() for needle in RATIOS)
WORDS = _ALONE + _COUNTERS
# What is asked for: with all of them seen the rest need not be read.
_ASKED: frozenset[type[Record]] = frozenset({MemoryUsed, Progress, Resources})
_PRINTS = frozenset({"print", "info", "log", "write", "echo", "debug", "warning"})
_PLACEHOLDER = re.compile(r"%[-+ 0-9.]{0,8}[sdfgeir]|\{[^{}]{0,80}\}")
_LONGEST = 500
_MOST_LINES = 5000
_DEEPEST = 32


def printed_records(lines: Lines, statements: Iterable[Statement]) -> frozenset[type[Record]]:
    """The kinds of records among the lines that the strings of these statements may make."""
    seen: set[type[Record]] = set()
    read = 0
    for statement in statements:
        if not (_may_match(lines.own(statement.first, statement.last)) and _speaks(statement)):
            continue
        for line in _lines(statement):
            if not _may_match(line, quoted=True):
                continue
            read += 1
            record = parse(line[:_LONGEST])
            if record is not None:
                seen.add(type(record))
            if read >= _MOST_LINES or seen >= _ASKED:
                return frozenset(seen)
    return frozenset(seen)


def _may_match(text: str, *, quoted: bool = False) -> bool:
    """Whether a text holds a word that a record must hold; that of a statement, a quote besides."""
    if not quoted and '"' not in text and "'" not in text:
        return False
    low = text.lower()
    if any(word in low for word in _ALONE):
        return True
    return any(ratio in low for ratio in _RATIOS) and any(word in low for word in _COUNTERS)


def _speaks(statement: Statement) -> bool:
    """Whether the strings of a statement may be printed: a docstring and an error's message are not."""
    node = statement.node
    return not isinstance(node, ast.Raise | ast.Assert) and not (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr)
    )


def _lines(statement: Statement) -> Iterator[str]:
    """Every line that the strings of a statement may make, by themselves and put together by a call."""
    silent: set[int] = set()
    for node in statement.nodes():
        if id(node) in silent:
            silent.update(map(id, ast.iter_child_nodes(node)))
        elif isinstance(node, ast.Call):
            # The help of an option is no line of the run.
            silent.update(id(item) for item in node.keywords if item.arg in {"help", "description", "epilog"})
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _PRINTS:
                yield from " ".join(_filled(item) for item in node.args).splitlines()
        elif isinstance(node, ast.JoinedStr):
            # Its parts are read with it.
            silent.update(map(id, node.values))
            yield from _filled(node).splitlines()
        elif isinstance(node, ast.BinOp) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield from _filled(node).splitlines()


def _filled(node: ast.expr, depth: int = 0) -> str:
    """A string with a one for everything that is put into it, and for every other expression."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values[:_LONGEST]
        )
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PLACEHOLDER.sub("1", node.value[: 4 * _LONGEST]).replace("%%", "%")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _filled(node.left) if isinstance(node.left, ast.Constant) else "1"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < _DEEPEST:
        return _filled(node.left, depth + 1) + _filled(node.right, depth + 1)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _filled(node.func.value) if isinstance(node.func.value, ast.Constant) else "1"
    return "1"
