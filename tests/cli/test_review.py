"""`traind review`: text for people, JSON and SARIF on request, and an exit code for scripts."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.cli.errors import CommandError
from supervisor.cli.review import review_script
from tests.cli.test_commands import traind

SMALL = """\
import torchvision
BATCH_SIZE = 8\t# small
loader = DataLoader(train_set, batch_size=BATCH_SIZE)
"""


def test_a_failing_script_is_shown_with_its_line_the_mark_and_the_fix(script: Callable[..., Path]) -> None:
    path = script(SMALL)
    done = traind("review", path.name, cwd=path.parent)
    assert (done.returncode, done.stderr) == (1, "")
    first = done.stdout.split("\n\n")[0].splitlines()
    assert first[:3] == [
        "train.py:2:14: error[batch-size-small] batch size 8",
        "     2 | BATCH_SIZE = 8 # small",
        "       |              ^",
    ]
    assert [line.partition(":")[0] for line in first[3:]] == ["  expected", "  fix", "  why"]
    assert done.stdout.splitlines()[-1].startswith("train.py: failed, 1 error, ")


def test_the_kind_that_is_given_decides(script: Callable[..., Path]) -> None:
    done = traind("review", "--kind", "tabular", "--json", str(script("BATCH_SIZE = 4096\n")))
    found = json.loads(done.stdout)
    assert (done.returncode, found["passed"], found["kind"], found["batch_size"]) == (
        0,
        True,
        "tabular",
        4096,
    )


def test_sarif_is_printed_and_exits_as_the_others_do(script: Callable[..., Path]) -> None:
    path = script(SMALL)
    done = traind("review", "--format", "sarif", path.name, cwd=path.parent)
    run = json.loads(done.stdout)["runs"][0]
    assert (done.returncode, run["tool"]["driver"]["name"]) == (1, "traind")
    assert run["results"][0]["ruleId"] == "batch-size-small"
    assert run["artifacts"][0]["location"]["uri"] == "train.py"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/no/such.py",), "/no/such.py"),
        (("--kind", "sound", "{script}"), "say one of image, tabular, text"),
        (("--format", "xml", "{script}"), "say one of text, json, sarif"),
        (("{folder}",), "is a folder"),
        (("{folder}/pipe",), "is not a regular file"),
        (("{folder}/large.py",), "is larger than 16777216 bytes"),
        (("{folder}/loop.py",), "mend its symbolic links"),
    ],
)
def test_what_cannot_be_reviewed_is_a_usage_error_of_one_line(
    script: Callable[..., Path], arguments: tuple[str, ...], said: str
) -> None:
    path = script("pass")
    os.mkfifo(path.parent / "pipe")
    with (path.parent / "large.py").open("wb") as large:
        large.truncate(20 * 2**20)
    (path.parent / "loop.py").symlink_to("loop.py")
    done = traind("review", *(item.format(script=path, folder=path.parent) for item in arguments))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_symbolic_link_is_reviewed_under_its_own_name(script: Callable[..., Path]) -> None:
    path = script(SMALL)
    (path.parent / "link.py").symlink_to(path)
    done = traind("review", "link.py", cwd=path.parent)
    assert done.stdout.startswith("link.py:2:14: error[batch-size-small]")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"# coding: latin-1\nx = '\xfc' +\n", "     2 | x = 'ü' +"),
        (b"x = 1\r\ny = (\r\n", "     2 | y = ("),
        (b"\xef\xbb\xbfx = 1\ny = (\n", "     2 | y = ("),
        (b"x = 1\ny = \x1b[31m\n", "     2 | y =  [31m"),
        (b"# coding: klingon\n", "not-parsed"),
        (b"print 'epoch', 1\n", "it reads like Python 2"),
        (b'{"cells": [], "nbformat": 4}\n', "it is a notebook"),
    ],
)
def test_the_line_that_does_not_parse_is_shown_as_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, shown: str
) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(data)
    assert review_script(path, None, "text") is False
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("x = 'ä', input()", "         ^^^^^^^"),
        ("x = '漢字', input()", "            ^^^^^^^"),
        ("\tx = input()", "     ^^^^^^^"),
        ("x = input('which',", "    ^^^^^^^^^^^^^^"),
    ],
)
def test_the_mark_stands_under_what_it_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, marked: str
) -> None:
    path = tmp_path / "train.py"
    rest = "\n  'fold')" if line.endswith(",") else ""
    path.write_text(f"if 1:\n{line}{rest}\n" if line.startswith("\t") else f"pass\n{line}{rest}\n")
    review_script(path, None, "text")
    assert f"       | {marked}\n" in capsys.readouterr().out


def test_of_a_long_line_the_part_around_the_mark_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "train.py"
    path.write_text(f"x = '{'a' * 500}', input(), '{'b' * 500}'\n")
    review_script(path, None, "text")
    shown = next(line for line in capsys.readouterr().out.splitlines() if "input()," in line)
    assert len(shown) == 109


def test_an_unknown_kind_is_refused_before_the_script_is_read() -> None:
    with pytest.raises(CommandError, match="there is no kind 'sound'"):
        review_script(Path("/no/such.py"), "sound", "text")
