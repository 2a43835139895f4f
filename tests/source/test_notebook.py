"""A notebook: told from a script, its batch size told by its cell, and changed in its JSON alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from supervisor.source.answer import Located
from supervisor.source.external_text import NotThereError
from supervisor.source.locate import locate_batch_size
from supervisor.source.notebook import Notebook, change_notebook, notebook_told, read_notebook

CODE = ["%matplotlib inline\n", "x = 'é \"64\"'; BATCH_SIZE = 64\n", "!ls\n"]
USE = "for i in r:\n    %time f()\n    DataLoader(d, batch_size=BATCH_SIZE)"


def written(*cells: Any, **how: Any) -> bytes:
    found = [cell if isinstance(cell, dict) else {"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": found, "nbformat": 4, "metadata": {}}, **how).encode()


@pytest.mark.parametrize("how", [{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}])
@pytest.mark.parametrize("joined", [False, True])
def test_only_the_digits_of_its_json_change(how: dict[str, Any], joined: bool) -> None:
    markdown = {"cell_type": "markdown", "source": ["BATCH_SIZE = 64\n"]}
    code = "".join(CODE) if joined else CODE
    data = written(markdown, code, "%%bash\nBATCH_SIZE = 64", USE, **how)
    notebook, located = _read(data)

    changed = change_notebook(notebook, located.places, 128)

    again, found = _read(changed)
    assert found.value == 128
    assert len(changed) == len(data) + 1
    assert change_notebook(again, found.places, 64) == data
    assert "batch size, 64, is in cell 2, line 2" in notebook_told(Path("n.ipynb"), notebook)


def test_the_cell_that_is_meant_is_changed_and_not_one_that_reads_the_same() -> None:
    data = written("def f():\n    n = 64", "n = 64\nDataLoader(d, batch_size=n)", "def g():\n    n = 64")
    notebook, located = _read(data)

    changed = json.loads(change_notebook(notebook, located.places, 8))

    assert [cell["source"].count("64") for cell in changed["cells"]] == [1, 0, 1]


def test_what_is_escaped_in_another_way_is_refused() -> None:
    data = written("BATCH_SIZE = 64").replace(b"SIZE", b"S\\u0049ZE")
    notebook, located = _read(data)

    with pytest.raises(NotThereError, match="edit it by hand"):
        change_notebook(notebook, located.places, 8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BATCH_SIZE = 64\n",
        b"{",
        b'{"cells": 1, "nbformat": 4}',
        b'{"cells": [], "other": 4}',
        b'{"cells": [], "nbformat": ',
        b'x = {"cells": [], "nbformat": 4}',
    ],
)
def test_anything_else_is_no_notebook(data: bytes) -> None:
    assert read_notebook(data) is None


@pytest.mark.parametrize(
    "cells", [[None], [{}], [{"cell_type": "code"}], [{"cell_type": "code", "source": [1]}]]
)
def test_odd_cells_are_passed_over(cells: list[Any]) -> None:
    notebook = read_notebook(json.dumps({"cells": cells, "nbformat": 4}).encode())
    assert notebook is not None
    assert "is a notebook" in notebook_told(Path("n.ipynb"), notebook)


def _read(data: bytes) -> tuple[Notebook, Located]:
    notebook = read_notebook(data)
    assert notebook is not None
    located = locate_batch_size(notebook.code.encode())
    assert isinstance(located, Located), located
    return notebook, located
