"""The lines of a file as a terminal may show them."""

import io
import tokenize


def shown_lines(data: bytes) -> list[str]:
    """The lines as Python counts them, by the file's own encoding, without what a terminal would obey."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return ["".join(c if c.isprintable() or c == "\t" else " " for c in line) for line in text.split("\n")]
