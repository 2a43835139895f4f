"""The pipeline from chunks of output to records.

Most output is none of traind's business, so a chunk is first searched for the few words that any record
must hold, which costs a tenth of splitting it. Only lines around a hit are cut out and parsed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from supervisor.output.formats import COUNTER_NEEDLES, NEEDLES, RATIOS, parse
from supervisor.output.lines import MAX_LINE, Line, LineSplitter, strip_ansi
from supervisor.output.records import Record


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record, the offset behind its line, and whether the line was a frame of a progress bar."""

    record: Record
    end: int
    frame: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of a chunk in order, and the offset from which reading could begin anew."""

    records: tuple[Parsed, ...]
    offset: int


class OutputReader:
    """Feeds chunks, gives records. The same bytes give the same records however they are cut."""

    def __init__(self, offset: int = 0) -> None:
        self._splitter = LineSplitter(offset)

    def feed(self, chunk: bytes) -> Batch:
        """The records that this chunk completes."""
        first = chunk.find(b"\n") + 1
        last = chunk.rfind(b"\n") + 1
        # The first line may have begun in an earlier chunk and the last may end in a later one.
        found = [_parse(line) for line in self._splitter.feed(chunk[:first] if first else chunk)]
        if first:
            if last > first:
                block = chunk[first:last]
                found += _parse_block(block, self._splitter.consumed)
                self._splitter.skip(len(block))
            if last < len(chunk):
                found += [_parse(line) for line in self._splitter.feed(chunk[last:])]
        return self._batch(found)

    def finish(self) -> Batch:
        """The record of an unfinished last line."""
        return self._batch(_parse(line) for line in self._splitter.flush())

    def _batch(self, found: Iterable[Parsed | None]) -> Batch:
        records = tuple(parsed for parsed in found if parsed is not None)
        return Batch(records, self._splitter.resumable)


def _parse_block(block: bytes, base: int) -> Iterator[Parsed | None]:
    """The records of whole lines that begin at offset `base`: only lines that hold a needle are cut out."""
    folded = block.lower().replace(b"\r", b"\n")
    hits: dict[int, int] = {}
    for needle in _needles_for(folded):
        position = folded.find(needle)
        while position >= 0:
            end = folded.find(b"\n", position)
            hits[folded.rfind(b"\n", 0, position) + 1] = end
            position = folded.find(needle, end)
    for start in sorted(hits):
        end = hits[start]
        close = block[end : end + 2]
        length = 2 if close == b"\r\n" else 1
        frame = length == 1 and close[:1] == b"\r"
        yield _parse(Line(block[start : min(end, start + MAX_LINE)], base + end + length, frame))


def _parse(line: Line) -> Parsed | None:
    low = line.data.lower()
    if not any(needle in low for needle in _needles_for(low)):
        return None
    record = parse(strip_ansi(line.data).decode("utf-8", "replace"))
    return None if record is None else Parsed(record, line.end, line.frame)


def _needles_for(low: bytes) -> tuple[bytes, ...]:
    return NEEDLES + COUNTER_NEEDLES if any(ratio in low for ratio in RATIOS) else NEEDLES
