"""The colours of a report can be told from what they stand on, in both schemes."""

from itertools import product

import pytest

from supervisor.web.report_style import DARK, LIGHT, style_sheet

# What text is set in, also that of the plots; lines need less, and the rules between rows none.
TEXT = ("ink", "quiet", "bound", "good")
LINES = ("memory", "busy", "mark", "bound")
GROUNDS = ("paper", "tile")


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_gives() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(colours: dict[str, str]) -> None:
    low = [
        (name, ground)
        for name, ground in product(TEXT, GROUNDS)
        if contrast(colours[name], colours[ground]) < 4.5
    ]

    assert low == []


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_plotted_lines_have_a_contrast_of_at_least_three(colours: dict[str, str]) -> None:
    assert [name for name in LINES if contrast(colours[name], colours["paper"]) < 3] == []


def test_the_sheet_sets_every_colour_in_both_schemes_and_no_other() -> None:
    sheet = style_sheet()

    assert all(f"--{name}:{colour};" in sheet for scheme in (LIGHT, DARK) for name, colour in scheme.items())
    assert sheet.count("#") == len(LIGHT) + len(DARK)
    assert set(LIGHT) == set(DARK)
