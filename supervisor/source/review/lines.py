"""A script's lines as Python counts them, and places in them as people and editors count. Pure."""

import ast
import codecs
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_NAME = re.compile(r"\w+")
_ENDS = re.compile(r"\r\n|\r")


@dataclass(frozen=True, slots=True)
class Span:
    """From a character to the one behind the last: lines and columns from 1, columns in code points."""

    line: int
    column: int
    end_line: int
    end_column: int


class Lines:
    """The text of a script without its byte order mark, with `\\n` for every line end."""

    def __init__(self, data: bytes) -> None:
        """Decode `data` as Python would; what cannot be decoded is replaced."""
        self._data = data
        self._bom = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        self._encoding = _encoding(data)
        text = data[self._bom :].decode(self._encoding, "replace")
        self.text = _ENDS.sub("\n", text) if "\r" in text else text
        self.rows = self.text.split("\n")

    def __getitem__(self, line: int) -> str:
        """The text of a line, counted from 1; empty where there is none."""
        return self.rows[line - 1] if 0 < line <= len(self.rows) else ""

    def own(self, first: int, last: int) -> str:
        """The text from one line to another, both included."""
        return "\n".join(self.rows[first - 1 : last])

    def span(self, node: ast.expr | ast.stmt | ast.ExceptHandler | ast.alias) -> Span:
        """Where a node stands; of a statement that holds others, its first line."""
        end_line, end_offset = node.end_lineno, node.end_col_offset
        line, column = node.lineno, self._column(node.lineno, node.col_offset)
        if hasattr(node, "body") and isinstance(node, ast.stmt | ast.ExceptHandler):
            end_line, end_offset = line, None
        end_line = end_line or line
        end = len(self[end_line].rstrip()) + 1 if end_offset is None else self._column(end_line, end_offset)
        # What stands in an f-string is given a place beside it by some versions of the parser.
        if (end_line, end) <= (line, column):
            return Span(line, column, line, max(len(self[line].rstrip()) + 1, column))
        return Span(line, column, end_line, end)

    def span_of_bytes(self, start: int, end: int) -> Span:
        """Where bytes of the script as it was given stand."""
        (line, column), (end_line, end_column) = self._at(start), self._at(end)
        return Span(line, column, end_line, end_column)

    def with_words(self, words: Iterable[str]) -> list[int]:
        """The lines, in order, that hold any of these lower-case words, whatever their letter case."""
        hits: set[int] = set()
        for word in words:
            position = self._lower.find(word)
            while position >= 0:
                line = bisect_right(self._starts, position)
                hits.add(line)
                if line == len(self._starts):
                    break
                position = self._lower.find(word, self._starts[line])
        return sorted(hits)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every word of the text that may be a name."""
        return frozenset(_NAME.findall(self.text))

    @cached_property
    def _lower(self) -> str:
        lower = self.text.lower()
        # A few letters of other alphabets grow by it, and would move every line behind them.
        return lower if len(lower) == len(self.text) else self.text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(row) + 1 for row in self.rows[:-1])]

    def _column(self, line: int, offset: int) -> int:
        return len(self[line].encode("utf-8", "replace")[:offset].decode("utf-8", "replace")) + 1

    def _at(self, offset: int) -> tuple[int, int]:
        before = _ENDS.sub("\n", self._data[self._bom : offset].decode(self._encoding, "replace"))
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def _encoding(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        codecs.lookup(encoding)
    except (SyntaxError, LookupError, ValueError):
        return "utf-8"
    return "utf-8" if encoding == "utf-8-sig" else encoding
