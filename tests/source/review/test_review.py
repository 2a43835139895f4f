"""The review as a whole: odd input is a finding and never an exception, and nothing of a script runs."""

import gc
import json
import os
from pathlib import Path

import pytest

from supervisor.source.file import ScriptReadError
from supervisor.source.review import Kind, Severity, as_dict, review_file, this_machine
from tests.source.review.scripts import GOOD, judged, only, rules, without

WORKLOADS = Path(__file__).parents[3] / "workloads"
SMALL = without("BATCH_SIZE = 128", put="BATCH_SIZE = 8")

READABLE = {
    "byte order mark": b"\xef\xbb\xbf" + SMALL.encode(),
    "windows line ends": SMALL.replace("\n", "\r\n").encode(),
    "old line ends": SMALL.replace("\n", "\r").encode(),
    "latin-1": ("# -*- coding: latin-1 -*-\n" + SMALL + "# ü\n").encode("latin-1"),
}


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE.keys())
def test_other_encodings_and_line_ends_are_read(data: bytes) -> None:
    found = judged(data)
    assert rules(found) == ["batch-size-small"]
    assert found.findings[0].line == (10 if b"latin" in data else 9)


BROKEN = {
    "syntax error": (b"x = 1\ndef broken(:\n", 2),
    "shell": (b"#!/bin/sh\necho $HOME\n", 2),
    "python 2": (b"x = 1\nprint 'epoch', x\n", 2),
    "python 2 handler": (b"try:\n    go()\nexcept OSError, error:\n    pass\n", 3),
    "mixed tabs": (b"if 1:\n\tx = 1\n        y = 2\n", 3),
    "notebook": (b'{"cells": [{"source": ["x = 1"]}], "nbformat": 4}\n', None),
    "notebook with a mark": (b'\xef\xbb\xbf\n {"cells": [null],\n "nbformat": 4}', None),
    "null bytes": (b"x = 1\x00\n", None),
    "not utf-8": (b"x = '\xff'\n", None),
    "unknown encoding": (b"# coding: klingon\n", None),
    "binary": (bytes(range(256)), None),
}


@pytest.mark.parametrize(("data", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_not_python_is_one_finding_that_fails(data: bytes, line: int | None) -> None:
    found = judged(data)
    assert (rules(found), found.passed) == (["not-parsed"], False)
    assert line is None or found.findings[0].line == line


LIMITS = {
    "too long": (b"x = 1\n" * (20 * 2**20 // 6), "more than 524288"),
    "brackets": (b"(" * 150 + b")" * 150, None),
    "deep": (b"x = " + b"-" * 100_000 + b"1\n", None),
    "long sum": (b"x = " + b"1+" * 50_000 + b"1\n", None),
    "long chain": (b"x = a" + b".b" * 50_000 + b"\n", None),
}


@pytest.mark.parametrize(("data", "said"), LIMITS.values(), ids=LIMITS.keys())
def test_what_is_too_long_or_too_deep_never_raises(data: bytes, said: str | None) -> None:
    found = judged(data)
    if said is not None:
        assert said in only(found, "not-parsed").found
        assert found.passed


@pytest.mark.parametrize("name", ["python 2", "python 2 handler"])
def test_python_2_is_recognised(name: str) -> None:
    assert "2to3" in judged(BROKEN[name][0]).findings[0].fix


def test_a_dict_that_looks_like_a_notebook_is_a_script_all_the_same() -> None:
    assert "not-parsed" not in rules(judged("x = 1\n" + '{"cells": [], "nbformat": 4}\n'))


def test_tabs_and_a_missing_last_line_end_are_read() -> None:
    source = without("BATCH_SIZE = 128", put="if True:\n\tBATCH_SIZE = 8").rstrip()
    assert rules(judged(source)) == ["batch-size-small"]


def test_an_empty_script_passes() -> None:
    assert judged(b"").passed
    assert judged(b"").kind is None


def test_nothing_of_the_script_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    judged(f"import pathlib, {tmp_path.name.replace('-', '_')}\npathlib.Path({str(mark)!r}).touch()\n")
    assert not mark.exists()


def test_errors_come_first_then_warnings_each_by_line() -> None:
    source = "import torch, cv2\nBATCH_SIZE = 8\nx = DataLoader(ds, batch_size=BATCH_SIZE, num_workers=2)\n"
    found = judged(source)
    severities = [finding.severity for finding in found.findings]
    assert severities == sorted(severities, key=list(Severity).index)
    assert found.findings[0].rule == "batch-size-small"


def test_the_json_form_holds_every_field_as_plain_values() -> None:
    found = as_dict(judged(SMALL))
    assert json.loads(json.dumps(found)) == found
    assert (found["passed"], found["kind"], found["batch_size"]) == (False, "image", 8)
    assert found["kind_evidence"] == ["import of torchvision on line 6"]
    names = {
        "rule",
        "severity",
        "line",
        "found",
        "expected",
        "fix",
        "why",
        "column",
        "end_line",
        "end_column",
    }
    assert set(found["findings"][0]) == names
    assert type(found["findings"][0]["severity"]) is str


def test_a_script_on_disk_is_reviewed_for_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(GOOD)
    assert review_file(path).kind is Kind.IMAGE
    assert review_file(path, Kind.TABULAR).passed is False
    assert this_machine().cores == len(os.sched_getaffinity(0))


def test_the_collector_of_cycles_is_on_again_after_a_review(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(GOOD)
    assert gc.isenabled()
    review_file(path)
    assert gc.isenabled()
    gc.disable()
    try:
        review_file(path)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_file_that_is_too_long_to_be_a_script_is_said(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    with path.open("wb") as file:
        file.truncate(20 * 2**20)
    with pytest.raises(ScriptReadError, match="is larger than 16777216 bytes"):
        review_file(path)


@pytest.mark.parametrize("path", sorted(WORKLOADS.glob("*/train.py")), ids=lambda path: path.parent.name)
def test_every_workload_passes_without_a_finding(path: Path) -> None:
    assert judged(path.read_bytes()).findings == ()
