"""Figures as people read them."""

import pytest

from supervisor.web.figures import clipped, duration, number, of, share, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (75, "1 min 15 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (0, "0 bytes"),
        (2048, "2 KiB"),
        (3 * 2**20, "3 MiB"),
        (3 * 2**29, "1.50 GiB"),
    ],
)
def test_sizes(amount: int | None, text: str) -> None:
    assert size(amount) == text


def test_what_is_not_known_is_a_dash() -> None:
    assert (number(None), share(None), of(None, 5)) == ("-", "-", "-")
    assert (number(0), share(0.0), of(3, None), of(3, 5)) == ("0", "0%", "3", "3 of 5")


def test_a_foreign_text_is_one_printable_line_of_bounded_length() -> None:
    assert clipped("a\nb\x1b[0m") == "a b [0m"
    assert clipped("abcdef", 4) == "abc…"
