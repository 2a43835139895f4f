"""A script's syntax tree over its original bytes.

`ast` counts columns in UTF-8 bytes of the decoded text, so a place in the tree is mapped back to the
bytes as they stand on disk: byte order mark, encoding and line ends included.
"""

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass


class UnreadableError(Exception):
    """The source is not Python that can be read here; the message says why."""


@dataclass(frozen=True, slots=True)
class Source:
    """Parsed source: `lines` are its decoded lines with their ends, `starts` their offsets in the bytes."""

    data: bytes
    encoding: str
    lines: list[str]
    starts: list[int]
    module: ast.Module

    def span(self, node: ast.expr) -> tuple[int, int]:
        """The byte offsets in `data` at which an expression begins and ends."""
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def _offset(self, line: int, column: int) -> int:
        before = self.lines[line - 1].encode()[:column].decode()
        return self.starts[line - 1] + len(before.encode(self._body_encoding))

    @property
    def _body_encoding(self) -> str:
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding


def parse(data: bytes) -> Source:
    """The tree of a script's bytes; raises `UnreadableError`, and nothing else, for any bytes."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        with warnings.catch_warnings():
            # What the script's own strings look like is not ours to warn about.
            warnings.simplefilter("ignore")
            module = ast.parse(data)
        lines = _physical_lines(text)
        if any(
            text_line.encode(_plain(encoding)).decode(_plain(encoding)) != text_line for text_line in lines
        ):
            raise UnreadableError(f"its encoding {encoding} does not survive a round trip")
    except SyntaxError as error:
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from error
    except (ValueError, LookupError, RecursionError, MemoryError) as error:
        raise UnreadableError(str(error) or type(error).__name__) from error
    starts = [len(data) - len(text.encode(_plain(encoding)))]
    for line in lines:
        starts.append(starts[-1] + len(line.encode(_plain(encoding))))
    return Source(data, encoding, lines, starts, module)


def _plain(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _physical_lines(text: str) -> list[str]:
    """Lines as the parser counts them: `\\n`, `\\r\\n` and `\\r` end one; form feeds and others do not."""
    lines: list[str] = []
    start = 0
    for index, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            lines.append(text[start : index + 1])
            start = index + 1
    lines.append(text[start:])
    return lines
