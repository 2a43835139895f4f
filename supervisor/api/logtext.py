"""What of a log's bytes is shown: frames collapsed, whole lines, the last lines, those that match. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import re2

_PATTERN_MEMORY = 8 * 1024 * 1024


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a log: `offset` and `end` are byte offsets in the log, `text` what is shown of it."""

    offset: int
    end: int
    text: bytes


def compile_pattern(pattern: str) -> "re2._Regexp[bytes]":
    """An RE2 pattern: it takes time linear in the text, whatever it is. Raises `PatternError`."""
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise PatternError(reason) from error


def collapse_frames(data: bytes) -> bytes:
    """Of the frames that `\\r` draws over each other, the last one of each line."""
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in data.split(b"\n"))


def from_line_start(data: bytes, offset: int) -> Piece:
    """`data` at `offset` without the line that it begins in the middle of, if it has another."""
    cut = data.find(b"\n") + 1 if offset > 0 else 0
    kept = data[cut:] if cut < len(data) else data
    return Piece(offset + len(data) - len(kept), offset + len(data), kept)


def last_lines(data: bytes, offset: int, count: int) -> Piece:
    """The last `count` lines of `data`, which stands at `offset`."""
    position = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(count):
        position = data.rfind(b"\n", 0, max(0, position))
        if position < 0:
            break
    start = position + 1
    return Piece(offset + start, offset + len(data), data[start:])


def matching(data: bytes, offset: int, pattern: "re2._Regexp[bytes]", limit: int, *, newest: bool) -> Piece:
    """The lines of `data` that match, at most `limit` bytes of them: the first ones, or the last.

    `end` is where to look on: behind the last line that was looked at.
    """
    found: list[bytes] = []
    size, end = 0, offset
    for line in _lines(data):
        shown = collapse_frames(line)
        if pattern.search(shown) is not None:
            if not newest and found and size + len(shown) > limit:
                return Piece(offset, end, b"".join(found)[:limit])
            found.append(shown)
            size += len(shown)
        end += len(line)
        while newest and len(found) > 1 and size > limit:
            size -= len(found.pop(0))
    return Piece(offset, end, b"".join(found)[:limit])


def _lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        stop = data.find(b"\n", start) + 1 or len(data)
        yield data[start:stop]
        start = stop
