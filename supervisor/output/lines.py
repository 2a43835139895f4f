"""Byte chunks to lines: reads that split a line, `\\r` frames of progress bars, lines without end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A line longer than this is cut: no record is that long, and memory must not grow with the output.
MAX_LINE = 64 * 1024

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_ENDS = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. `end` is the offset behind its end, `frame` whether `\\r` ended it."""

    data: bytes
    end: int
    frame: bool


class LineSplitter:
    """Splits fed chunks into lines, wherever the chunks were cut. `offset` is where feeding begins."""

    def __init__(self, offset: int = 0) -> None:
        self._start = offset
        self._rest = b""
        self._dropped = 0

    @property
    def consumed(self) -> int:
        """The offset up to which all lines have been given out."""
        return self._start

    @property
    def resumable(self) -> int:
        """The offset from which reading may begin anew.

        As `consumed`, but in a line that is being cut for its length: what was dropped is not wanted again.
        """
        return self._start + (self._dropped + len(self._rest) if self._dropped else 0)

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk completes. Must be exhausted before the next call."""
        data = self._rest + chunk
        # A `\r` at the very end may be half of `\r\n`: it is left for the next chunk to tell.
        held = data.endswith(b"\r")
        position = 0
        for match in _ENDS.finditer(data, 0, len(data) - 1 if held else len(data)):
            body = data[position : match.start()]
            position = match.end()
            yield self._line(body, len(body) + len(match[0]), frame=match[0] == b"\r")
        self._keep(data[position:])

    def skip(self, length: int) -> None:
        """Pass over whole lines that were read elsewhere. Only where no line is pending."""
        self._start += length

    def flush(self) -> Iterator[Line]:
        """The unfinished rest, at the end of the output."""
        if self._rest or self._dropped:
            body = self._rest.rstrip(b"\r")
            yield self._line(body, len(self._rest), frame=False)
            self._rest = b""

    def _line(self, body: bytes, length: int, *, frame: bool) -> Line:
        self._start += self._dropped + length
        self._dropped = 0
        return Line(body[:MAX_LINE], self._start, frame)

    def _keep(self, rest: bytes) -> None:
        held = b"\r" if rest.endswith(b"\r") else b""
        body = rest[: len(rest) - len(held)]
        self._dropped += max(0, len(body) - MAX_LINE)
        self._rest = body[:MAX_LINE] + held


def strip_ansi(data: bytes) -> bytes:
    """The line without terminal colours and cursor movements."""
    return _ANSI.sub(b"", data) if b"\x1b" in data else data
