"""A line that the caller chose: one number of it, found again wherever it went, or not at all."""

import pytest

from supervisor.domain.sizing import SizePlace
from supervisor.source.answer import Located, Uncertain
from supervisor.source.chosen import choose, find_chosen
from supervisor.source.edit import change

SCRIPT = """\
bs = 64
BATCH = N = 32 * 2
first, second = 64, 3
loader = DataLoader(d, 16, num_workers=4)
p.add_argument("--batch-size", default="64", type=int)
bs, workers = 64, 8
def train():
    x = DataLoader(d, batch_size=64)
def test():
    x = DataLoader(d, batch_size=64)
size = int(os.environ.get("B", "64"))
BIG = (32 +
       32)
f"{64}"
"""


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (1, "bs", 64),
        (2, "N", 64),
        (5, "batch_size", 64),
        (6, "bs", 64),
        (8, "batch_size", 64),
        (11, "size", 64),
        (12, "BIG", 64),
        (13, "BIG", 64),
    ],
)
def test_the_number_of_a_line_is_chosen_and_changed(line: int, name: str, value: int) -> None:
    chosen = choose(SCRIPT.encode(), line)
    assert isinstance(chosen, SizePlace)
    found = find_chosen(SCRIPT.encode(), chosen)
    assert isinstance(found, Located)
    assert (found.value, found.places[0].name, chosen.name) == (value, name, name)
    changed = change(SCRIPT.encode(), found, 128).decode().splitlines()
    assert "128" in changed[min(line, 12) - 1]


@pytest.mark.parametrize(
    ("line", "said", "candidates"),
    [
        (3, "has 2 numbers", 2),
        (4, "has 2 numbers", 2),
        (7, "has no number", 5),
        (14, "has no number", 5),
        (99, "has no number", 5),
    ],
)
def test_a_line_without_one_certain_number_is_refused(line: int, said: str, candidates: int) -> None:
    chosen = choose(SCRIPT.encode(), line)
    assert isinstance(chosen, Uncertain)
    assert said in chosen.reason
    assert len(chosen.candidates) == candidates


MOVED = {
    "lines above": ("bs = 64\n", "# new\n\nbs = 64\n"),
    "a size that was changed": ("batch_size=64", "batch_size=512"),
    "another function": ("def train", "def other():\n    y = DataLoader(e, batch_size=64)\ndef train"),
    "one function less": ("def test():\n    x = DataLoader(d, batch_size=64)\n", ""),
}
GONE = {
    "another line": ("def train():\n    x", "def train():\n    z"),
    "another function": ("def train", "def fit"),
    "the same line twice": ("def train():\n", "def train():\n    x = DataLoader(d, batch_size=64)\n"),
    "no number": ("batch_size=64", "batch_size=b"),
    "no Python": ("import", "print 1"),
}


@pytest.mark.parametrize(("old", "new"), MOVED.values(), ids=MOVED.keys())
def test_it_is_found_again_after_others_have_edited(old: str, new: str) -> None:
    chosen = choose(SCRIPT.encode(), 8)
    assert isinstance(chosen, SizePlace)
    text = SCRIPT.replace(old, new)
    found = find_chosen(text.encode(), chosen)
    assert isinstance(found, Located)
    assert text.splitlines()[found.places[0].line - 2] == "def train():"


@pytest.mark.parametrize(("old", "new"), GONE.values(), ids=GONE.keys())
def test_what_is_not_as_it_was_is_never_guessed(old: str, new: str) -> None:
    chosen = choose(SCRIPT.encode(), 8)
    assert isinstance(chosen, SizePlace)
    text = SCRIPT.replace(old, new) if old in SCRIPT else new
    assert isinstance(find_chosen(text.encode(), chosen), Uncertain)


@pytest.mark.parametrize("source", [b"print 1\n", b"\xff", b"", b"# coding: klingon\n1\n", b"x = '\\ud800'"])
def test_any_script_is_answered(source: bytes) -> None:
    assert isinstance(choose(source, 1), Uncertain)


def test_a_line_in_latin_1_is_told_and_found() -> None:
    source = b"# coding: latin-1\nx = '\xe9'; bs = 64\r\n"
    chosen = choose(source, 2)
    assert isinstance(chosen, SizePlace)
    found = find_chosen(b"# coding: latin-1\n\n" + source.split(b"\n", 1)[1], chosen)
    assert isinstance(found, Located)
