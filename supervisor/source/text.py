"""A script's bytes as a syntax tree whose nodes know where they stand in those bytes.

The parser counts in UTF-8 bytes of a line; the file may begin with a BOM, end its lines in any way and
be written in another encoding. What comes out of here are offsets into the bytes as they were given.
"""

import ast
import codecs
import io
import re
import threading
import tokenize
import warnings

from supervisor.source.collecting import no_collecting

# A tree takes up to 600 bytes a byte of source: beyond this a script would cost the daemon its memory.
MAX_PARSED_BYTES = 512 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DIGITS = "0123456789"
# `warnings.catch_warnings` swaps a process-wide list, so two threads must not do it at once.
_quiet = threading.Lock()


class UnparsableError(Exception):
    """The bytes are not Python that can be read here. `line` is the parser's, from 1, where it has one."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SourceText:
    """A parsed script: `tree`, its `text`, and byte offsets into the original for each of its nodes."""

    def __init__(self, source: bytes) -> None:
        """Parse `source`; raises `UnparsableError` for whatever it may be that is not Python."""
        if len(source) > MAX_PARSED_BYTES:
            raise UnparsableError(
                f"it is {len(source)} bytes long, and more than {MAX_PARSED_BYTES} are not searched"
            )
        self.source = source
        self._bom = len(codecs.BOM_UTF8) if source.startswith(codecs.BOM_UTF8) else 0
        self._encoding, self.text = _decode(source, self._bom)
        self.tree = _parse(self.text)
        self._utf8 = source[self._bom :] if self._encoding == "utf-8" else self.text.encode("utf-8")
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(self._utf8))]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """The node's first byte and the one after its last, in the bytes as given."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        start = self._starts[node.lineno - 1] + node.col_offset
        return self._original(start), self._original(self._starts[end_line - 1] + end_column)

    def encode(self, digits: str) -> bytes:
        """Digits as the script's encoding writes them."""
        return digits.encode(self._encoding)

    def _original(self, offset: int) -> int:
        if self._encoding == "utf-8":
            return self._bom + offset
        characters = len(self._utf8[:offset].decode("utf-8"))
        return len(self.text[:characters].encode(self._encoding))


def _decode(source: bytes, bom: int) -> tuple[str, str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        text = source[bom:].decode(encoding)
        # Offsets are found by encoding again, so the way there and back must be the same bytes.
        same = text.encode(encoding) == source[bom:] and _DIGITS.encode(encoding) == _DIGITS.encode()
    except (SyntaxError, LookupError, ValueError) as error:
        raise UnparsableError(f"its encoding cannot be read ({error})") from error
    if not same:
        raise UnparsableError(f"its encoding, {encoding}, cannot be edited byte by byte; save it as UTF-8")
    return encoding, text


def _parse(text: str) -> ast.Module:
    try:
        with _quiet, warnings.catch_warnings():
            # A script's "\d" is its own affair: neither an error here nor a line in the daemon's log.
            warnings.simplefilter("ignore")
            with no_collecting():
                return ast.parse(text)
    except SyntaxError as error:
        where = f" on line {error.lineno}" if error.lineno else ""
        raise UnparsableError(f"the parser stops{where}: {error.msg}", error.lineno) from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise UnparsableError("it is nested too deeply for the parser") from error
    except ValueError as error:
        raise UnparsableError(f"the parser refuses it: {error}") from error
