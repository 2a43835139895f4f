"""A command line that sets the batch size wins over the script."""

import pytest

from supervisor.source.edit import EditRefused, change, change_args
from supervisor.source.locate import Located, Uncertain, locate_batch_size

PARSER = b'p.add_argument("-b", "--batch-size", default=32)\np.add_argument("--val-batch-size", default=8)\n'


@pytest.mark.parametrize(
    ("args", "changed"),
    [
        (["--batch-size", "64"], ["--batch-size", "128"]),
        (["--batch-size=64"], ["--batch-size=128"]),
        (["--batch_size=64"], ["--batch_size=128"]),
        (["--bs", "64"], ["--bs", "128"]),
        (["-b", "64"], ["-b", "128"]),
        (["-b64"], ["-b128"]),
        (["-b=64"], ["-b=128"]),
        (["--batch", "64"], ["--batch", "128"]),
        (["--batch-size", "8", "--batch-size", "64"], ["--batch-size", "8", "--batch-size", "128"]),
        (
            ["--lr", "0.1", "-b", "64", "--val-batch-size", "8"],
            ["--lr", "0.1", "-b", "128", "--val-batch-size", "8"],
        ),
        (["train.batch_size=64"], ["train.batch_size=128"]),
    ],
)
def test_the_argument_is_what_changes(args: list[str], changed: list[str]) -> None:
    located = locate_batch_size(PARSER, args)

    assert isinstance(located, Located)
    assert located.value == 64
    assert located.places == ()
    assert change_args(args, located, 128) == tuple(changed)


@pytest.mark.parametrize(
    "args",
    [
        ["--val-batch-size", "64"],
        ["--", "--batch-size", "64"],
        ["64"],
        ["--epochs=64"],
        ["-e64"],
        ["eval_batch_size=64"],
    ],
)
def test_other_arguments_leave_the_script_to_change(args: list[str]) -> None:
    located = locate_batch_size(PARSER, args)

    assert isinstance(located, Located)
    assert (located.value, located.argument) == (32, None)


@pytest.mark.parametrize(
    "args", [["--batch-size", "auto"], ["--batch-size"], ["--bs="], ["-b", "0"], ["-b", "x"]]
)
def test_an_argument_that_is_no_number_is_named_and_not_decided(args: list[str]) -> None:
    found = locate_batch_size(PARSER, args)

    assert isinstance(found, Uncertain)
    assert args[0].rstrip("=") in found.reason


def test_a_short_option_of_another_meaning_is_not_the_batch_size() -> None:
    source = b'p.add_argument("-b", "--beta", default=1)\nBATCH_SIZE = 32\n'

    located = locate_batch_size(source, ["-b", "64"])

    assert isinstance(located, Located)
    assert located.argument is None


def test_a_short_option_counts_where_the_script_declares_none() -> None:
    located = locate_batch_size(b"x = 1\n", ["-b", "64"])

    assert isinstance(located, Located)
    assert located.value == 64


def test_an_argument_s_size_is_not_written_into_the_script() -> None:
    located = locate_batch_size(PARSER, ["-b", "64"])

    assert isinstance(located, Located)
    with pytest.raises(EditRefused, match="change the argument"):
        change(PARSER, located, 128)


def test_a_script_s_size_is_not_written_into_the_arguments() -> None:
    located = locate_batch_size(PARSER)

    assert isinstance(located, Located)
    with pytest.raises(EditRefused, match="change the script"):
        change_args([], located, 128)


def test_arguments_that_are_not_the_ones_searched_are_refused() -> None:
    located = locate_batch_size(PARSER, ["-b", "64"])

    assert isinstance(located, Located)
    with pytest.raises(EditRefused, match="not where it was"):
        change_args(["-b", "65"], located, 128)
