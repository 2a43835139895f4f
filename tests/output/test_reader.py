"""The pipeline: any bytes in any pieces, the same records, bounded memory."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.output.formats import parse
from supervisor.output.lines import MAX_LINE, LineSplitter, strip_ansi
from supervisor.output.reader import OutputReader, Parsed
from supervisor.output.records import MemoryUsed, Progress

PIECES = st.sampled_from(
    [
        *(
            b"\n",
            b"\r",
            b"\r\n",
            b"ordinary text ",
            b"\xff\xfe",
            b"\x1b[32m",
            b"\x1b[0m",
            b"epoch",
            b"memory",
        ),
        *(b"Fold 1/5, Epoch 2/10, Loss: 0.5", b"GPU Memory Used: 1.5 GB / 24 GB", b"step 3/4 "),
        *(b"MemoryError", b"Epoch 1 of 3", b"RESOURCES: 4 cores"),
    ]
)
OUTPUT = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


def records_of(chunks: list[bytes]) -> list[Parsed]:
    reader = OutputReader()
    found = [item for chunk in chunks for item in reader.feed(chunk).records]
    return found + list(reader.finish().records)


def line_by_line(data: bytes) -> list[Parsed]:
    """The slow way: every line split and parsed."""
    splitter = LineSplitter()
    lines = [*splitter.feed(data), *splitter.flush()]
    parsed = ((parse(strip_ansi(line.data).decode("utf-8", "replace")), line) for line in lines)
    return [Parsed(record, line.end, line.frame) for record, line in parsed if record is not None]


@given(OUTPUT, st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=300)
def test_any_cutting_gives_what_reading_line_by_line_gives(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[start:end] for start, end in itertools.pairwise(places)]
    assert records_of(chunks) == line_by_line(data)


@given(OUTPUT)
def test_reading_may_begin_anew_at_every_offset_given_out(data: bytes) -> None:
    reader = OutputReader()
    for index in range(len(data)):
        before = reader.feed(data[index : index + 1])
        again = OutputReader(before.offset)
        rest = [*again.feed(data[before.offset :]).records, *again.finish().records]
        assert rest == [item for item in line_by_line(data) if item.end > before.offset]


def test_colour_and_prefix_do_not_hide_a_line() -> None:
    found = records_of([b"\x1b[1;32m12:00\x1b[0m \x1b[33mGPU Memory Used\x1b[0m: 2 GB\n"])
    assert isinstance(found[0].record, MemoryUsed)


def test_frames_of_a_progress_bar_are_told_from_lines() -> None:
    found = records_of([b"Epoch 1/3\rEpoch 2/3\rEpoch 3/3\r\nEpoch 1/3\n"])
    assert [item.frame for item in found] == [True, True, False, False]
    assert [item.record for item in found[:3]] == [Progress(epoch=n, epochs=3) for n in (1, 2, 3)]


def test_line_of_a_hundred_megabytes_does_not_grow_memory_and_ends_where_it_ends() -> None:
    splitter = LineSplitter()
    chunk = b"x" * 2**20
    for _ in range(100):
        assert list(splitter.feed(chunk)) == []
        assert len(splitter._rest) <= MAX_LINE
    lines = list(splitter.feed(b"\nnext\n"))
    assert [(len(line.data), line.end) for line in lines] == [
        (MAX_LINE, 100 * 2**20 + 1),
        (4, 100 * 2**20 + 6),
    ]


def test_unfinished_last_line_counts_at_the_end() -> None:
    assert [item.record for item in records_of([b"Epoch 1/3"])] == [Progress(epoch=1, epochs=3)]
