"""The lines of a file as a terminal may show them."""

import io
import tokenize


def shown_lines(data: bytes) -> list[str]:
    """The lines as Python counts them, by the file's own encoding, without what a terminal would obey."""
    return plain_lines(data.decode(_encoding(data), "replace"))


def plain_lines(text: str) -> list[str]:
    """The same of a text that is read already."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    return ["".join(c if c.isprintable() or c == "\t" else " " for c in line) for line in lines]


def column_of(data: bytes, at: int) -> int:
    """How many characters stand before a byte on its line."""
    begin = 1 + max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at))
    return len(data[begin:at].decode(_encoding(data), "replace"))


def _encoding(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except (SyntaxError, LookupError, ValueError):
        return "utf-8"
    return encoding
