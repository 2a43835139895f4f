"""What the measure of real scripts calls right, refused and wrong."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import scripts

CONSTANT = "BATCH_SIZE = 64\nloader = DataLoader(data, batch_size=BATCH_SIZE, shuffle=True)\n"
CHOICE = "size = 32 if large() else 64\nloader = DataLoader(data, batch_size=size, shuffle=True)\n"


def measured(
    source: str,
    truth: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *options: str,
) -> str:
    file = tmp_path / "train.py"
    file.write_text(source)
    line = {
        "repo": "some/one",
        "commit": "0" * 40,
        "path": "train.py",
        "file": str(file),
        "args": [],
        "form": "constant",
        "truth": truth,
        "note": "",
    }
    index = tmp_path / "index.jsonl"
    index.write_text(json.dumps(line) + "\n")
    monkeypatch.setattr(sys, "argv", ["scripts", str(index), *options])
    scripts.main()
    return capsys.readouterr().out


def test_the_true_line_with_the_true_value_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"status": "found", "lines": [1], "value": 64}
    assert "right: 1 of 1" in measured(CONSTANT, truth, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "truth",
    [
        {"status": "found", "lines": [2], "value": 64},
        {"status": "found", "lines": [1], "value": 32},
        {"status": "found", "lines": [1, 2], "value": 64},
        {"status": "external", "keys": ["batch_size"]},
        {"status": "uncertain"},
        {"status": "none"},
    ],
)
def test_any_other_edit_is_a_wrong_one(
    truth: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = measured(CONSTANT, truth, tmp_path, monkeypatch, capsys)
    assert "wrong: 1 of 1 (100.0%), a wrong edit in 1" in printed


def test_a_refusal_that_names_the_true_line_is_counted_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"status": "found", "lines": [1], "value": 64}
    printed = measured(CHOICE, truth, tmp_path, monkeypatch, capsys)
    assert "refused: 1 of 1 (100.0%), the true place named in 1" in printed


def test_a_refusal_is_right_where_nobody_should_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "right: 1 of 1" in measured(CHOICE, {"status": "uncertain"}, tmp_path, monkeypatch, capsys)


def test_no_batch_size_is_wrong_without_an_edit_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"status": "found", "lines": [1], "value": 64}
    printed = measured("print('nothing')\n", truth, tmp_path, monkeypatch, capsys)
    assert "wrong: 1 of 1 (100.0%), a wrong edit in 0" in printed


def test_the_table_for_the_document_names_repository_path_commit_form_and_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"status": "found", "lines": [1], "value": 64}
    printed = measured(CONSTANT, truth, tmp_path, monkeypatch, capsys, "--markdown")
    assert "| some/one | train.py | 0000000000 | constant | right |" in printed
