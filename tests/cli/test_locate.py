"""`traind locate`: what was found and would change, as text and as JSON, without a daemon."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.errors import CommandError
from supervisor.cli.locate import locate_size
from tests.cli.test_imports import HEAVY, loaded
from tests.cli.traind import traind

Write = Callable[..., Path]
FOUND = "# coding: latin-1\nname = '\xe9'; BATCH_SIZE = 32 * 2\nDataLoader(d, batch_size=BATCH_SIZE)\n"
BESIDE = (
    "import yaml\ncfg = yaml.safe_load(open('c.yaml'))\nDataLoader(d, batch_size=cfg['bs'], shuffle=True)\n"
)
TWO = "bs = 64\nbatch_size = 32\n"
FLAG = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--batch-size', default=64)\n"


def answered(path: Path, *args: str, **options: Any) -> dict[str, Any]:
    done = _run(path, args, as_json=True, **options)
    found: dict[str, Any] = json.loads(done)
    assert list(found) == ["status", "edits", "reason", "candidates"]
    return found


def _run(path: Path, args: tuple[str, ...], **options: Any) -> str:
    given = {"to": None, "cwd": path.parent, "at": None, "edit": None, "write": False, "as_json": False}
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.echo", said.append)
        locate_size(path, args, **(given | options))
    return "\n".join(said)


def test_a_found_size_is_shown_with_its_chain_its_line_and_the_diff(script: Write) -> None:
    path = script("")
    path.write_bytes(FOUND.encode("latin-1"))
    done = traind("locate", path.name, cwd=path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("train.py: found: module constant BATCH_SIZE on line 2")
    assert lines[1] == "  1. DataLoader on line 3 is given the batch size"
    shown = lines.index("train.py:2")
    assert lines[shown + 1 : shown + 3] == [
        "  name = 'é'; BATCH_SIZE = 32 * 2",
        "                           ^^^^^^",
    ]
    assert lines[-3:-1] == ["-name = 'é'; BATCH_SIZE = 32 * 2", "+name = 'é'; BATCH_SIZE = 128"]
    assert path.read_bytes() == FOUND.encode("latin-1")


def test_the_answers_as_json(script: Write) -> None:
    path = script(FOUND.replace("latin-1", "utf-8"))
    edit = {"path": str(path), "line": 2, "old": 64, "new": 128}
    found = answered(path)
    assert (found["status"], found["edits"], found["candidates"]) == ("found", [edit], [])
    assert answered(path, to=96)["edits"] == [edit | {"new": 96}]

    config = script("# x\nbs: 64\n", "c.yaml")
    found = answered(script(BESIDE))
    edit = {"path": str(config), "line": 2, "old": 64, "new": 128}
    assert (found["status"], found["edits"]) == ("external", [edit])

    found = answered(script(FLAG), "--batch-size", "8")
    assert (found["status"], found["edits"]) == ("external", [])
    assert "--batch-size" in found["reason"]

    found = answered(script("x = 1\n"))
    assert (found["status"], found["edits"], found["candidates"]) == ("none", [], [])


def test_a_choice_is_refused_with_its_candidates_and_made_by_a_line(script: Write) -> None:
    path = script(TWO)
    found = answered(path)
    assert found["status"] == "refused"
    assert [(item["line"], item["name"], item["value"]) for item in found["candidates"]] == [
        (1, "bs", 64),
        (2, "batch_size", 32),
    ]
    assert all(item["why"] for item in found["candidates"])
    assert "--batch-size-at 1" in _run(path, ())
    assert answered(path, at=2)["edits"] == [{"path": str(path), "line": 2, "old": 32, "new": 64}]
    assert answered(path, at=9)["status"] == "refused"


def test_a_change_of_arguments_is_shown_as_the_two_command_lines(script: Write) -> None:
    assert "-train.py -b 8\n+train.py -b 16" in _run(script(FLAG.replace("'--b", "'-b', '--b")), ("-b", "8"))
    assert "-train.py\n+train.py --batch-size 128" in _run(script(FLAG), (), edit="args")
    found = answered(script("BATCH_SIZE = 64\n"), edit="args")
    assert (found["status"], found["edits"]) == ("found", [])
    assert "no flag of the script" in found["reason"]


def test_a_notebook_is_told_by_its_cells_and_written(script: Write) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# B\n"]},
        {"cell_type": "code", "source": ["%time\n", "B = '\"'; BATCH_SIZE = 64"]},
        {"cell_type": "code", "source": "DataLoader(d, batch_size=BATCH_SIZE)"},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1)
    path = script("", "n.ipynb")
    path.write_text(text)
    shown = _run(path, ())
    assert "cell 2, line 2" in shown
    assert "jupyter nbconvert --to script n.ipynb" in shown
    assert "-B = '\"'; BATCH_SIZE = 64\n+B = '\"'; BATCH_SIZE = 128" in shown
    line = next(number for number, part in enumerate(text.splitlines(), 1) if "BATCH_SIZE = 64" in part)
    assert answered(path)["edits"] == [{"path": str(path), "line": line, "old": 64, "new": 128}]
    assert path.read_text() == text
    _run(path, (), write=True)
    assert path.read_text() == text.replace("BATCH_SIZE = 64", "BATCH_SIZE = 128")


def test_a_notebook_s_choice_is_told_by_its_cells_and_made_in_none(script: Write) -> None:
    cells = [{"cell_type": "code", "source": text} for text in ("bs = 64", "x = 1\nbatch_size = 32")]
    path = script(json.dumps({"cells": cells, "nbformat": 4}, indent=1), "n.ipynb")
    found = answered(path)
    assert (found["status"], found["edits"]) == ("refused", [])
    assert "bs = 64 in cell 1, line 1, batch_size = 32 in cell 2, line 2" in found["reason"]
    lines = path.read_text().splitlines()
    assert ["size" in lines[item["line"] - 1] for item in found["candidates"]] == [False, True]
    with pytest.raises(CommandError, match="a notebook has cells"):
        answered(path, at=2)
    none = script(json.dumps({"cells": [], "nbformat": 4}), "n.ipynb")
    assert answered(none)["status"] == "none"


def test_what_is_shown_is_written_on_request_and_only_then(script: Write) -> None:
    path, config = script(BESIDE), script("bs: 64 # x\n", "c.yaml")
    assert _run(path, (), to=96, write=True).endswith(f"written to {config}")
    assert config.read_text() == "bs: 96 # x\n"
    with pytest.raises(CommandError, match="nothing was written"):
        _run(script(TWO), (), write=True)


BAD = {
    "Python 2": b"print 'x'\nBATCH_SIZE = 64\n",
    "a syntax error": b"BATCH_SIZE = (64\n",
    "Latin-1 without a coding line": b"x = '\xe9'\nBATCH_SIZE = 64\n",
    "an unknown coding": b"# coding: klingon\nBATCH_SIZE = 64\n",
    "NUL": b"BATCH_SIZE = 64\0",
    "lone surrogates": b"x = '\xed\xa0\x80'\nBATCH_SIZE = 64\n",
    "20 MB": b"#" * 20_000_000,
    "deep": b"x = " + b"(" * 5000 + b")" * 5000,
    "half a notebook": b'{"cells": [{"source": ["BATCH_SIZE = 64"]}], "nbformat": ',
}
GOOD = {
    "CRLF": b"import os\r\nBATCH_SIZE = 64\r\n",
    "BOM": b"\xef\xbb\xbfBATCH_SIZE = 64\n",
    "tabs": b"if True:\n\tBATCH_SIZE = 64\n",
    "no final newline": b"BATCH_SIZE = 64",
    "an escaped surrogate": b"x = '\\ud800'\nBATCH_SIZE = 64\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(data)
    found = answered(path)
    assert (found["status"], found["edits"]) == ("refused", [])
    assert found["reason"]
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_odd_files_are_read_and_written_all_the_same(tmp_path: Path, data: bytes) -> None:
    path, link = tmp_path / "real.py", tmp_path / "train.py"
    path.write_bytes(data)
    path.chmod(0o444)
    link.symlink_to(path)
    assert answered(link)["status"] == "found"
    _run(link, (), write=True)
    assert path.read_bytes() == data.replace(b"64", b"128")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o444


def test_what_is_no_file_is_refused_and_what_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", ".", "loop"):
        assert answered(tmp_path / name)["status"] == "refused"
    done = traind("locate", "--json", "nowhere.py", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    done = traind("locate", "--sizing-edit", "both", ".", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_nothing_heavy_is_loaded_and_yaml_only_for_yaml(script: Write) -> None:
    path = script(TWO)
    found = loaded("locate", str(path))
    assert not found & (HEAVY | {"httpx2", "asyncio", "ruamel.yaml", "supervisor.engine.engine"})
    script("bs: 64\n", "c.yaml")
    assert "ruamel.yaml" in loaded("locate", "--cwd", str(path.parent), str(script(BESIDE)))
