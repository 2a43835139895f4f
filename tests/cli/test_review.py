"""`traind review`: text for people, JSON on request, and an exit code for scripts."""

import json
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


def test_a_failing_script_is_shown_with_line_finding_and_fix(script: Callable[..., Path]) -> None:
    path = script(SMALL)
    done = traind("review", path.name, cwd=path.parent)
    assert (done.returncode, done.stderr) == (1, "")
    first = done.stdout.split("\n\n")[0].splitlines()
    assert first[:2] == [
        "train.py:2: error batch-size-small: batch size 8",
        "  >    2 | BATCH_SIZE = 8 # small",
    ]
    assert [line.partition(":")[0] for line in first[2:]] == ["  expected", "  fix", "  why"]
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/no/such.py",), "/no/such.py"),
        (("--kind", "sound", "{script}"), "say one of image, tabular, text"),
        (("{folder}",), "is a folder"),
    ],
)
def test_what_cannot_be_reviewed_is_a_usage_error_of_one_line(
    script: Callable[..., Path], arguments: tuple[str, ...], said: str
) -> None:
    path = script("pass")
    done = traind("review", *(item.format(script=path, folder=path.parent) for item in arguments))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"# coding: latin-1\nx = '\xfc' +\n", "  >    2 | x = 'ü' +"),
        (b"x = 1\r\ny = (\r\n", "  >    2 | y = ("),
        (b"x = 1\ny = \x1b[31m\n", "  >    2 | y =  [31m"),
        (b"# coding: klingon\n", "not-parsed"),
    ],
)
def test_the_line_that_does_not_parse_is_shown_as_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, shown: str
) -> None:
    path = tmp_path / "train.py"
    path.write_bytes(data)
    assert review_script(path, None, as_json=False) is False
    assert shown in capsys.readouterr().out


def test_an_unknown_kind_is_refused_before_the_script_is_read() -> None:
    with pytest.raises(CommandError, match="there is no kind 'sound'"):
        review_script(Path("/no/such.py"), "sound", as_json=False)
