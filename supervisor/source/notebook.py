"""A notebook: its code as one script, its cells' lines, and its batch size changed inside a JSON string.

A notebook is not launched: `python -u` does not read it. What is in it can be shown and edited all the same.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.source.answer import Literal, Located
from supervisor.source.external_text import MAX_BYTES, NotThereError, Number, line_of
from supervisor.source.locate import locate_batch_size

_MAGIC = re.compile(r"(\s*)[%!?]")
_LOOKS_LIKE = re.compile(rb"\s*(\xef\xbb\xbf)?\s*\{")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code: of which cell (from 1, all kinds counted), which line in it, the path to its string.

    `at` is where the line begins in that string, in characters.
    """

    cell: int
    number: int
    keys: tuple[Any, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code cells one after the other, without magics; `lines` has an entry for each line of `code`."""

    data: bytes
    code: str
    lines: tuple[Line, ...]
    cells: tuple[str, ...]


def read_notebook(data: bytes) -> Notebook | None:
    """The notebook that the bytes are; None for anything else."""
    if not _LOOKS_LIKE.match(data) or b'"cells"' not in data or b'"nbformat"' not in data:
        return None
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return None
    cells = tree.get("cells") if isinstance(tree, dict) else None
    if not isinstance(cells, list):
        return None
    code: list[str] = []
    lines: list[Line] = []
    texts: list[str] = []
    for number, cell in enumerate(cells, 1):
        source = cell.get("source") if isinstance(cell, dict) else None
        written: list[object] = source if isinstance(source, list) else [source]
        strings = [text if isinstance(text, str) else "" for text in written]
        texts.append("".join(strings))
        if not isinstance(cell, dict) or cell.get("cell_type") != "code" or texts[-1].startswith("%%"):
            continue
        for position, (text, line) in enumerate(_lines(number, strings, split=isinstance(source, list)), 1):
            magic = _MAGIC.match(text)
            code.append(f"{magic[1]}pass" if magic else text.replace("\r", " "))
            lines.append(Line(number, position, line.keys, line.at))
    return Notebook(data, "\n".join([*code, ""]), tuple(lines), tuple(texts))


def _lines(cell: int, strings: list[str], *, split: bool) -> Iterator[tuple[str, Line]]:
    for index, text in enumerate(strings):
        keys = ("cells", cell - 1, "source", index) if split else ("cells", cell - 1, "source")
        at = 0
        for part in text.split("\n")[: None if not text.endswith("\n") else -1]:
            yield part, Line(cell, 0, keys, at)
            at += len(part) + 1


def notebook_told(path: Path, notebook: Notebook) -> str:
    """That it is a notebook, which cell holds the batch size, and what to do: the beginning of a sentence."""
    found = locate_batch_size(notebook.code.encode("utf-8", "replace"))
    where = ""
    if isinstance(found, Located) and found.places:
        line = notebook.lines[found.places[0].line - 1]
        where = f" (its batch size, {found.value}, is in cell {line.cell}, line {line.number})"
    return (
        f"{path} is a notebook{where}, which the interpreter does not run: "
        f"convert it by `jupyter nbconvert --to script {path.name}`"
    )


def number_in(notebook: Notebook, place: Literal) -> Number:
    """Where a number of the code stands in the file's own bytes; raises `NotThereError`."""
    if len(notebook.data) > MAX_BYTES * 16:
        raise NotThereError(f"it is {len(notebook.data)} bytes long; edit it by hand")
    line = notebook.lines[place.line - 1]
    written = str(int(place.value))
    encoded = notebook.code.encode("utf-8", "replace")
    begin = encoded.rfind(b"\n", 0, place.start) + 1
    column = len(encoded[begin : place.start].decode("utf-8", "replace"))
    text = _at(json.loads(notebook.data), line.keys)
    start = line.at + column
    if text[start : start + len(written)] != written or encoded[place.start : place.end].decode() != written:
        raise NotThereError("its number is not written as a plain one; write it so")
    tree = repr(_put(json.loads(notebook.data), line.keys, _swapped(text, start, written, _other(written))))
    for at in _occurrences(notebook.data, text, start):
        changed = notebook.data[:at] + _other(written).encode() + notebook.data[at + len(written) :]
        try:
            if repr(json.loads(changed)) == tree:
                return Number(line_of(notebook.data, at), at, at + len(written), int(written))
        except ValueError:
            continue
    raise NotThereError("its text is escaped in a way that cannot be edited; edit it by hand")


def change_notebook(notebook: Notebook, places: tuple[Literal, ...], new: int) -> bytes:
    """The file with those numbers set to `new` and no other byte changed; raises `NotThereError`."""
    numbers = sorted((number_in(notebook, place) for place in places), key=lambda item: item.start)
    data = notebook.data
    for number in reversed(numbers):
        data = data[: number.start] + str(new).encode() + data[number.end :]
    return data


def _occurrences(data: bytes, text: str, start: int) -> Iterator[int]:
    """Where the character at `start` of a string may stand: the string as JSON writes it, escaped or not."""
    for ascii_only in (False, True):
        whole = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        before = json.dumps(text[:start], ensure_ascii=ascii_only)[:-1].encode("utf-8", "surrogatepass")
        at = data.find(whole)
        while at >= 0:
            yield at + len(before)
            at = data.find(whole, at + 1)


def _at(tree: Any, keys: tuple[Any, ...]) -> str:
    for key in keys:
        tree = tree[key]
    return str(tree)


def _put(tree: Any, keys: tuple[Any, ...], text: str) -> Any:
    inner = tree
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = text
    return tree


def _swapped(text: str, start: int, old: str, new: str) -> str:
    return text[:start] + new + text[start + len(old) :]


def _other(written: str) -> str:
    """Another number of as many digits."""
    return str(int(written) + 1) if len(str(int(written) + 1)) == len(written) else str(int(written) - 1)
