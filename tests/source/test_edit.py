"""An edit changes the size and not one other byte."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.source.edit import EditRefused, change
from supervisor.source.locate import Located, locate_batch_size

SAME_BUT_FOR_THE_SIZE = {
    "crlf": b"import os\r\nBATCH_SIZE = %s\r\nx = 1\r\n",
    "cr": b"import os\rBATCH_SIZE = %s\rx = 1\r",
    "mixed ends": b"a = 1\r\nb = 2\rBATCH_SIZE = %s\nx = 1",
    "bom": b"\xef\xbb\xbfBATCH_SIZE = %s\n",
    "bom and crlf": b"\xef\xbb\xbf# \xc3\xa9\r\nx = '\xc3\xa9'; BATCH_SIZE = %s\r\n",
    "latin-1": b"# coding: latin-1\nname = '\xe9\xe8'; BATCH_SIZE = %s # \xfc\n",
    "latin-1 before": b"# -*- coding: iso-8859-15 -*-\n# \xa4\n\xe9 = '\xa4'; BATCH_SIZE = %s",
    "shift-jis": "# coding: shift_jis\nx = '日本'; BATCH_SIZE = %s\n".encode("shift_jis"),
    "utf-8": "x = '日本😀'; BATCH_SIZE = %s  # é\n".encode(),
    "no final newline": b"BATCH_SIZE = %s",
    "form feed": b"x = 1\n\x0c\nBATCH_SIZE = %s\n",
    "form feed in a line": b"if x:\n\x0c    y = 1\n    BATCH_SIZE = %s\n",
    "tabs": b"if x:\n\tBATCH_SIZE\t=\t%s\t# keep\n",
    "odd spaces": b"BATCH_SIZE=  %s   ;x=1",
    "line separator": "x = '\u2028\x85'\nBATCH_SIZE = %s\n".encode(),
    "continuation": b"BATCH_SIZE = \\\r\n    %s\r\n",
    "long string": b'x = """a\r\nb"""; BATCH_SIZE = %s\r\n',
    "string default": b"import os\nBATCH_SIZE = int(os.getenv('B', '%s'))\n",
    "keyword next": b"BATCH_SIZE = %s\ny = 1 if BATCH_SIZE else 2\n",
}


@pytest.mark.parametrize("script", SAME_BUT_FOR_THE_SIZE.values(), ids=SAME_BUT_FOR_THE_SIZE.keys())
def test_every_other_byte_stays(script: bytes) -> None:
    source = script.replace(b"%s", b"64")

    changed = change(source, _located(source), 128)

    assert changed == script.replace(b"%s", b"128")


@pytest.mark.parametrize("script", SAME_BUT_FOR_THE_SIZE.values(), ids=SAME_BUT_FOR_THE_SIZE.keys())
def test_the_place_has_the_parser_s_line(script: bytes) -> None:
    place = _located(script.replace(b"%s", b"64")).places[0]
    before = script[: script.index(b"%s")].replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    assert place.line == before.count(b"\n") + 1


@given(
    script=st.sampled_from(sorted(SAME_BUT_FOR_THE_SIZE.values())),
    old=st.integers(1, 10**6),
    new=st.integers(1, 10**6),
    head=st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20), max_size=3),
)
def test_an_edit_and_its_reverse_give_the_first_bytes_again(
    script: bytes, old: int, new: int, head: list[str]
) -> None:
    source = (
        script.replace(b"%s", str(old).encode()) + b"\n" + b"".join(b"#" + h.encode() + b"\n" for h in head)
    )

    changed = change(source, _located(source), new)
    again = _located(changed)

    assert again.value == new
    assert change(changed, again, old) == source


@pytest.mark.parametrize("written", ["32 * 2", "0x40", "6_4", "2 ** 6", "(60) + 4"])
def test_another_way_of_writing_becomes_a_plain_number(written: str) -> None:
    source = f"BATCH_SIZE = {written}  # note\n".encode()

    assert change(source, _located(source), 128) == b"BATCH_SIZE = 128  # note\n"


def test_a_sum_over_two_lines_is_replaced_whole() -> None:
    source = b"BATCH_SIZE = (32 *\n    2)\nx = 1\n"

    assert change(source, _located(source), 128) == b"BATCH_SIZE = (128)\nx = 1\n"


def test_the_same_size_changes_nothing() -> None:
    source = b"BATCH_SIZE = 32 * 2\n"

    assert change(source, _located(source), 64) == source


@pytest.mark.parametrize("size", [0, -1, 10**9 + 1])
def test_a_size_that_is_none_is_refused(size: int) -> None:
    source = b"BATCH_SIZE = 64\n"

    with pytest.raises(EditRefused, match="not a batch size"):
        change(source, _located(source), size)


@pytest.mark.parametrize(
    "other",
    [
        b"BATCH_SIZE = 65\n",
        b"BATCH_SISE = 6 4\n",
        b"BATCH = 64; x = 5\n",
        b"x = 1\n",
        b"B = 'a123456 64'\n",
        b"BATCHxSIZE = 64.5\n",
        b"# BATCH_SIZ: 64\n",
    ],
)
def test_a_source_that_is_not_the_one_searched_is_refused(other: bytes) -> None:
    located = _located(b"BATCH_SIZE = 64\n")

    with pytest.raises(EditRefused, match=r"again|by hand|mend it first"):
        change(other, located, 128)


def test_an_edit_that_would_change_more_is_refused() -> None:
    located = _located(b"BATCH_SIZE = 64\n")
    wider = replace(located, places=(replace(located.places[0], start=0, end=15),))

    with pytest.raises(EditRefused, match="more than the batch size"):
        change(b"BATCH_SIZE = 64\n", wider, 128)


def test_several_places_are_changed_together() -> None:
    source = b"a = 64\nb = 64\n"
    place = _located(b"bs = 64\n").places[0]
    both = (replace(place, line=2, start=11, end=13), replace(place, line=1, start=4, end=6))
    located = Located(64, both, None, "two")

    assert change(source, located, 128) == b"a = 128\nb = 128\n"


def test_places_that_overlap_are_refused() -> None:
    place = _located(b"bs = 64\n").places[0]

    with pytest.raises(EditRefused, match="not where it was"):
        change(b"bs = 64\n", Located(64, (place, place), None, "twice"), 128)


def _located(source: bytes) -> Located:
    found = locate_batch_size(source)
    assert isinstance(found, Located), found
    return found
