"""Tables and cuts."""

from supervisor.cli.output import cut, table


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert table(("A", "BB"), [("x", "1"), ("yyy", "222")], right=(1,)) == "A     BB\nx      1\nyyy  222"


def test_what_is_cut_says_so() -> None:
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "ab…")
