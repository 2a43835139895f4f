"""What commands print: JSON alone, or tables that fit the terminal."""

import json
from collections.abc import Sequence
from typing import Any

import typer


def show_json(value: Any) -> None:
    """One JSON document on stdout and nothing else."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns as wide as their widest cell; those numbered in `right` stand at their right edge."""
    every = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[index]) for row in every) for index in range(len(head))]
    lines = []
    for row in every:
        cells = [
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def cut(text: str, width: int) -> str:
    """The text in at most `width` characters, an ellipsis where something is missing."""
    return text if len(text) <= width else text[: width - 1] + "…"
