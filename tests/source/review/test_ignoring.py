"""Comments silence what they name, where they stand; a comment that silences nothing is told."""

import pytest

from supervisor.source.review import Severity
from tests.source.review.scripts import GOOD, judged, only, rules, without

ASKED = "x = input()"
IGNORE = "# traind: ignore[waits-for-input]"


@pytest.mark.parametrize(
    "source",
    [
        f"{ASKED}  {IGNORE}\n",
        f"{IGNORE}\n{ASKED}\n",
        f"{IGNORE}\n\n# why\n{ASKED}\n",
        f"{ASKED}  # noqa: S1  {IGNORE} it is wanted\n",
        f"{ASKED}  #traind:ignore[ waits-for-input ]\n",
        f"x = input(\n    'which?'\n)  {IGNORE}\n",
        f"x = input(  {IGNORE}\n    'which?'\n)\n",
        f"def f():\n    for i in y:\n        {IGNORE}\n        {ASKED}\nf()\n",
        f"if True:\n    {ASKED}  {IGNORE}\nelse:\n    pass\n",
        f"s = '''\n{IGNORE}\n'''\n{ASKED}  {IGNORE}\n",
        f"# traind: ignore-file[waits-for-input]\n{ASKED}\n",
        f"{ASKED}\n# traind: ignore-file[waits-for-input]\n",
        f"{ASKED}\r\n{ASKED}  {IGNORE}\r\n".removeprefix(f"{ASKED}\r\n"),
    ],
)
def test_a_comment_silences_the_rule_that_it_names(source: str) -> None:
    assert not {"waits-for-input", "ignore-unused", "ignore-unknown"} & set(rules(judged(source)))


@pytest.mark.parametrize(
    "source",
    [
        f"{ASKED}\n{IGNORE}\n",
        f"y = 1  {IGNORE}\n{ASKED}\n",
        f"{ASKED}; s = '{IGNORE}'\n",
        f"s = '''\n{IGNORE}\n'''; {ASKED}\n",
        f"{ASKED}  # traind: ignore[window-shown]\n",
        f"{ASKED}  # traind: ignore\n",
        f"{ASKED}  # traind: ignored[waits-for-input]\n",
        "pass\n" * 20 + f"# traind: ignore-file[waits-for-input]\n{ASKED}\n",
    ],
)
def test_a_comment_elsewhere_or_in_a_string_silences_nothing(source: str) -> None:
    assert "waits-for-input" in rules(judged(source))


def test_a_list_names_several() -> None:
    source = (
        "import pdb\nx = input(); pdb.set_trace(); plot()  # traind: ignore[waits-for-input, login-asked]\n"
    )
    found = judged(source)
    assert "waits-for-input" not in rules(found)
    unused = only(found, "ignore-unused")
    assert (unused.found, unused.severity) == ("nothing here is found by login-asked", Severity.INFO)
    assert source.splitlines()[1][unused.column - 1 :].startswith("login-asked]")  # type: ignore[operator]


def test_a_finding_without_a_line_is_silenced_for_the_file() -> None:
    source = without("RESOURCES:", put="pass")
    assert rules(judged(source)) == ["prints-resources"]
    assert rules(judged("# traind: ignore-file[prints-resources]\n" + source)) == []
    assert rules(judged("# traind: ignore[prints-resources]\n" + source)) == [
        "prints-resources",
        "ignore-unused",
    ]


def test_an_error_that_is_silenced_does_not_fail_the_script() -> None:
    source = without("BATCH_SIZE = 128", put="BATCH_SIZE = 8  # traind: ignore[batch-size-small]")
    assert judged(source).passed
    assert not judged(source.replace("traind:", "")).passed


def test_a_name_that_is_no_rule_is_told_with_the_one_that_is_like_it() -> None:
    finding = only(judged(f"{GOOD}x = 1  # traind: ignore[loader-worker-few]\n"), "ignore-unknown")
    assert finding.fix == "write loader-workers-few"
    assert finding.found == "no rule is called loader-worker-few"
    assert (
        only(judged(f"{GOOD}x = 1  # traind: ignore\n"), "ignore-unknown").found
        == "an ignore that names no rule"
    )


def test_a_comment_below_the_head_says_that_it_stands_too_low() -> None:
    source = GOOD + "# traind: ignore-file[prints-memory]\n"
    assert only(judged(source), "ignore-unused").fix == "move it to the first 20 lines"


@pytest.mark.parametrize(
    "source",
    [
        f"x = (1,\n  {IGNORE}\n  2)\n",
        f"class A(\n    B,  {IGNORE}\n):\n    pass\n",
        f"try:\n    pass\nexcept A:  {IGNORE}\n    pass\n",
        f"if (a and\n    b): c  {IGNORE}\n",
        f"{IGNORE}\n",
        IGNORE,
        f"if False:\n    y = 1  {IGNORE}\n",
    ],
)
def test_comments_anywhere_are_seen(source: str) -> None:
    assert rules(judged(source)).count("ignore-unused") == 1
