"""The files that a run must leave behind: looked at once its last script has ended, then judged.

A file is never loaded whole: rows are counted as they are read, in a thread that gives up with its caller.
"""

import asyncio
import csv
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from supervisor.domain.run import Artifact
from supervisor.engine.roots import outside

_LONGEST_LINE = 1 << 20  # characters; a table's lines are far shorter


class UnreadableError(Exception):
    """A file that cannot be looked at; the message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a file: bytes, and when it was last written in Unix seconds."""

    size: int
    modified_at: float
    regular: bool


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is compared by: its header line, and the rows below it."""

    header: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of an artifact: a sentence in `problem` where it is not as wanted."""

    path: str
    problem: str | None
    size: int | None = None
    rows: int | None = None


async def check_artifacts(
    artifacts: tuple[Artifact, ...], created_at: float, roots: tuple[Path, ...]
) -> list[Found]:
    """Look at each artifact of a run that was submitted at `created_at` (Unix seconds)."""
    abandoned = threading.Event()
    try:
        return await asyncio.to_thread(
            lambda: [_check(artifact, created_at, roots, abandoned) for artifact in artifacts]
        )
    finally:
        abandoned.set()


def judge_file(seen: Seen, created_at: float) -> str | None:
    """What is wrong with a file by itself, if anything: a stale one never passes."""
    if not seen.regular:
        return "is not a regular file"
    if seen.size == 0:
        return "is empty"
    if seen.modified_at < created_at:
        return (
            f"is older than the run: last written {created_at - seen.modified_at:.1f} s before its submission"
        )
    return None


def judge_table(table: Table, sample: Table, like: str) -> str | None:
    """How a table differs from its sample, if it does."""
    if table.header != sample.header:
        return f"has the header {_shown(table.header)} where {like} has {_shown(sample.header)}"
    if table.rows != sample.rows:
        return f"has {table.rows} rows where {like} has {sample.rows}"
    return None


def check_sample(path: Path) -> None:
    """Raise `UnreadableError` for a sample that nothing could be compared with."""
    with _open(path, ()) as file:
        if not _seen(file).regular:
            raise UnreadableError("is not a regular file")
        _first_row(_rows(file, threading.Event()))


def _check(
    artifact: Artifact, created_at: float, roots: tuple[Path, ...], abandoned: threading.Event
) -> Found:
    path, size, rows = artifact.path, None, None
    try:
        with _open(Path(path), roots) as file:
            seen = _seen(file)
            size = seen.size
            problem = judge_file(seen, created_at)
            if problem is None and artifact.like is not None:
                table = _count(file, abandoned)
                rows = table.rows
                problem = judge_table(table, _sample(artifact.like, roots, abandoned), artifact.like)
    except UnreadableError as error:
        problem = str(error)
    return Found(path, f"{path} {problem}" if problem else None, size, rows)


def _sample(like: str, roots: tuple[Path, ...], abandoned: threading.Event) -> Table:
    try:
        with _open(Path(like), roots) as file:
            return _count(file, abandoned)
    except UnreadableError as error:
        raise UnreadableError(f"cannot be compared: its sample {like} {error}") from error


def _open(path: Path, roots: tuple[Path, ...]) -> TextIO:
    """Open what the path leads to, without waiting for a pipe's other end or following a link made since."""
    if outside(path, roots):
        raise UnreadableError(f"lies outside the allowed roots: {', '.join(map(str, roots))}")
    try:
        descriptor = os.open(
            os.path.realpath(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        )
    except FileNotFoundError as error:
        raise UnreadableError("is missing") from error
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError("is not a regular file")
    return open(descriptor, encoding="utf-8-sig", errors="surrogateescape", newline="")  # noqa: PTH123 - not a path


def _seen(file: TextIO) -> Seen:
    status = os.fstat(file.fileno())
    return Seen(status.st_size, status.st_mtime, stat.S_ISREG(status.st_mode))


def _count(file: TextIO, abandoned: threading.Event) -> Table:
    rows = _rows(file, abandoned)
    header = _first_row(rows)
    return Table(header, sum(1 for _ in rows))


def _first_row(rows: Iterator[list[str]]) -> tuple[str, ...]:
    header = next(rows, None)
    if header is None:
        raise UnreadableError("has no header line")
    return tuple(header)


def _rows(file: TextIO, abandoned: threading.Event) -> Iterator[list[str]]:
    """The rows of a CSV file, blank lines left out; raises `UnreadableError`."""
    try:
        for row in csv.reader(_lines(file)):
            if abandoned.is_set():
                raise UnreadableError("was not read to its end")
            if row:
                yield row
    except csv.Error as error:
        raise UnreadableError(f"is not a CSV file: {error}") from error
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise UnreadableError(f"is not a CSV file: a line is longer than {_LONGEST_LINE} characters")
        yield line


def _shown(header: tuple[str, ...]) -> str:
    text = ",".join(header).encode(errors="replace").decode()
    return repr(text if len(text) <= 80 else f"{text[:77]}...")  # noqa: PLR2004 - a line
