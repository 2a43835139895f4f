"""Server-sent events by the WHATWG's rules, whatever the chunks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.client.sse import EventParser, ServerEvent

STREAM = (
    b"\xef\xbb\xbf: a comment\r\nid: 7\nevent: log\rdata: first\r\ndata:second\n\n"
    b"data\n\nretry: 1500\nretry: soon\nid: a\0b\nunknown: x\ndata: \xc3\xa4\xff\n\r\n"
    b"event: nothing\n\ndata: cut off"
)
EVENTS = [
    ServerEvent("log", "first\nsecond", "7"),
    ServerEvent("message", "", "7"),
    ServerEvent("message", "ä\ufffd", "7"),
]


def test_a_stream_is_read_by_the_rules() -> None:
    parser = EventParser()

    assert parser.feed(STREAM) == EVENTS
    assert (parser.last_id, parser.retry_s) == ("7", 1.5)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_no_chunk_boundary_matters(cuts: list[int]) -> None:
    parser = EventParser()
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]

    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_byte_by_byte(end: bytes) -> None:
    parser = EventParser()
    stream = end.join([b"id:1", b"data:x", b"", b"data:y", b"", b""])

    found = [event for index in range(len(stream)) for event in parser.feed(stream[index : index + 1])]
    assert found == [ServerEvent("message", "x", "1"), ServerEvent("message", "y", "1")]


def test_an_empty_id_forgets_the_one_before() -> None:
    parser = EventParser()

    assert parser.feed(b"id: 3\ndata: x\n\nid\ndata: y\n\n")[1].id == ""
