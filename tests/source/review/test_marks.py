"""Findings mark the characters that they mean, counted in code points from 1, in every encoding."""

import pytest

from tests.source.review.scripts import judged, only

LINES = "# é\nx = 'éé'; y = input()\n"


@pytest.mark.parametrize(
    "data",
    [
        LINES.encode(),
        b"\xef\xbb\xbf" + LINES.encode(),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r").encode(),
        b"# coding: latin-1\n" + LINES.encode("latin-1"),
    ],
)
def test_a_mark_counts_characters_in_every_encoding(data: bytes) -> None:
    finding = only(judged(data), "waits-for-input")
    line = 3 if b"coding" in data else 2
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (line, 15, line, 22)


def test_a_batch_size_is_marked_where_it_is_written() -> None:
    source = "import torch, cv2\nnote = 'é'; BATCH_SIZE = 64\nx = DataLoader(ds, batch_size=BATCH_SIZE)\n"
    for data in (source.encode(), b"\xef\xbb\xbf" + source.replace("\n", "\r\n").encode()):
        finding = only(judged(data), "batch-size-small")
        assert (finding.line, finding.column, finding.end_column) == (2, 26, 28)


def test_a_mark_over_several_lines_ends_on_the_last() -> None:
    finding = only(judged("x = input(\n    'which'\n)\n"), "waits-for-input")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (1, 5, 3, 2)


def test_of_a_statement_that_holds_others_the_first_line_is_marked() -> None:
    source = "import torch\ntry:\n    go()\nexcept KeyboardInterrupt:\n    torch.save(m, 'p')\n"
    finding = only(judged(source), "sigterm-not-caught")
    assert (finding.line, finding.column, finding.end_line, finding.end_column) == (4, 1, 4, 26)


def test_a_letter_that_grows_in_lower_case_moves_no_line() -> None:
    finding = only(judged("s = 'İİİİ'\n\nx = input()\n"), "waits-for-input")
    assert finding.line == 3
