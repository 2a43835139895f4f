"""What of a log's bytes is shown, at its bounds."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.api.logtext import (
    PatternError,
    collapse_frames,
    compile_pattern,
    from_line_start,
    last_lines,
    matching,
)

LOG = b"one\ntwo\nthree\n"


def test_only_the_last_frame_of_a_line_is_kept() -> None:
    assert collapse_frames(b"10%\r20%\r30%\nnext\r\n\r\nhalf\rdone") == b"30%\nnext\n\ndone"


def test_line_that_was_begun_elsewhere_is_left_out() -> None:
    piece = from_line_start(b"ne\ntwo\n", 1)
    assert (piece.offset, piece.end, piece.text) == (4, 8, b"two\n")


def test_start_of_a_log_and_a_line_without_an_end_are_kept() -> None:
    assert from_line_start(LOG, 0).text == LOG
    assert from_line_start(b"endless", 100).text == b"endless"
    assert from_line_start(b"last\n", 100).text == b"last\n"


@pytest.mark.parametrize(
    ("count", "text", "offset"),
    [(1, b"three\n", 8), (2, b"two\nthree\n", 4), (3, LOG, 0), (9, LOG, 0)],
)
def test_last_lines_stand_at_their_offset(count: int, text: bytes, offset: int) -> None:
    piece = last_lines(LOG, 0, count)
    assert (piece.text, piece.offset, piece.end) == (text, offset, len(LOG))


def test_line_without_an_end_counts_as_the_last() -> None:
    assert last_lines(b"one\ntwo", 0, 1).text == b"two"
    assert last_lines(b"", 0, 1).text == b""


@given(st.binary(max_size=200), st.integers(1, 20))
def test_last_lines_are_the_end_of_the_log(data: bytes, count: int) -> None:
    piece = last_lines(data, 0, count)
    assert data[piece.offset :] == piece.text
    assert len(piece.text.split(b"\n")) - piece.text.endswith(b"\n") <= count


def test_first_or_newest_lines_that_match_within_the_limit() -> None:
    pattern = compile_pattern("t[wh]")
    assert matching(LOG, 0, pattern, 1000, newest=False).text == b"two\nthree\n"
    assert matching(LOG, 0, pattern, 6, newest=True).text == b"three\n"
    first = matching(LOG, 0, pattern, 6, newest=False)
    assert (first.text, first.end) == (b"two\n", 8)
    rest = matching(LOG[first.end :], first.end, pattern, 6, newest=False)
    assert (rest.text, rest.end) == (b"three\n", len(LOG))


def test_one_line_longer_than_the_limit_is_cut() -> None:
    assert matching(b"x" * 100, 0, compile_pattern("x"), 10, newest=True).text == b"x" * 10


def test_progress_bar_matches_by_its_last_frame() -> None:
    assert matching(b"10%\r100%\n", 0, compile_pattern("^10%"), 99, newest=True).text == b""
    assert matching(b"10%\r100%\n", 0, compile_pattern("^100%$"), 99, newest=True).text == b""
    assert matching(b"10%\r100%\n", 0, compile_pattern("^100%"), 99, newest=True).text == b"100%\n"


@pytest.mark.parametrize("pattern", ["(", "a{9999}", "(?=x)", "\\1", "*"])
def test_pattern_that_is_none_says_why(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"\w"):
        compile_pattern(pattern)


@pytest.mark.alone
def test_pattern_that_would_explode_elsewhere_takes_linear_time() -> None:
    began = time.monotonic()
    matching(b"a" * 100_000 + b"b\n", 0, compile_pattern("(a+)+$"), 100, newest=True)
    assert time.monotonic() - began < 2
