"""Which form of an answer an Accept header gets."""

import pytest

from supervisor.api.negotiation import preferred

OFFERED = ("application/json", "text/markdown", "text/html")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/markdown", "text/markdown"),
        ("text/*", "text/markdown"),
        ("TEXT/HTML", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/markdown"),
        ("text/markdown;q=oops, text/html;q=0.1", "text/html"),
        ("image/png", "application/json"),
        (",;,", "application/json"),
    ],
)
def test_highest_quality_wins_and_the_first_offered_among_equals(accept: str | None, form: str) -> None:
    assert preferred(accept, OFFERED) == form
