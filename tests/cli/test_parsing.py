"""What people type, as values."""

import pytest

from supervisor.cli.parsing import parse_artifact, parse_duration, parse_env


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("35m", 2100),
        ("1h30m", 5400),
        ("1h", 3600),
        ("1h2m3.5s", 3723.5),
        ("2.5", 2.5),
        (" 5M ", 300),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5x", "-3", "1m1h", "s", "nan"])
def test_what_is_no_duration_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="give it as 90s, 35m or 1h30m"):
        parse_duration(text)


def test_environment_pairs_keep_what_stands_behind_the_first_equal_sign() -> None:
    assert parse_env(["A=1", "B=", "C=x=y"]) == {"A": "1", "B": "", "C": "x=y"}
    for pair in ("A", "=1"):
        with pytest.raises(ValueError, match="give it as NAME=VALUE"):
            parse_env([pair])


def test_an_artifact_may_name_one_like_it() -> None:
    assert parse_artifact("a.csv") == {"path": "a.csv"}
    assert parse_artifact("a.csv:b.csv") == {"path": "a.csv", "like": "b.csv"}
    with pytest.raises(ValueError, match="PATH or PATH:SAMPLE"):
        parse_artifact(":b")
