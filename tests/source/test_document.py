"""Every example of docs/scripts.md is answered as the document says."""

import re
from pathlib import Path

import pytest

from supervisor.source.locate import External, Located, Uncertain, locate_batch_size

DOCUMENT = Path(__file__).parents[2] / "docs" / "scripts.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) > 25


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_answered_as_it_says(example: str) -> None:
    first, *_ = lines = example.splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# <-")}

    answer = locate_batch_size(example.encode())

    if first.startswith("# external: "):
        path, keys = first.removeprefix("# external: ").split()
        assert isinstance(answer, External), answer
        assert (answer.path, answer.keys) == (path, tuple(keys.split(".")))
    elif first == "# uncertain":
        assert isinstance(answer, Uncertain), answer
        assert {place.line for place in answer.candidates} == marked
    else:
        assert isinstance(answer, Located), answer
        assert {place.line for place in answer.places} == marked
        assert answer.value == 64
