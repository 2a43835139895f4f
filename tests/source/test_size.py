"""The size of a launch wherever it is kept: which file is meant, and when none is certain."""

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.domain.sizing import SizePlace, SizingEdit
from supervisor.source.answer import External
from supervisor.source.chosen import choose
from supervisor.source.file import MAX_SCRIPT_BYTES, read_script
from supervisor.source.size import (
    Launch,
    SizeKeptError,
    change_size,
    known_size,
    places_of,
    size_in_copy,
    written_path,
)

Write = Callable[..., Path]
YAML = """\
import argparse, yaml
p = argparse.ArgumentParser()
p.add_argument("--config", default="config.yaml")
args = p.parse_args()
cfg = yaml.safe_load(open(args.config))
loader = DataLoader(d, batch_size=cfg["batch_size"], shuffle=True)
"""


def test_a_path_is_looked_for_where_the_script_runs_and_then_beside_it() -> None:
    script = Path("/s/train.py")
    assert places_of("c.yaml", Path("/w"), script) == [Path("/w/c.yaml"), Path("/s/c.yaml")]
    assert places_of("c.yaml", None, script) == [Path("/s/c.yaml")]
    assert places_of("/c.yaml", Path("/w"), script) == [Path("/c.yaml")]
    assert places_of("", Path("/w"), script) == places_of("a\0b", Path("/w"), script) == []


@pytest.mark.parametrize(
    ("path", "index", "args", "written"),
    [
        ("a.yaml", None, (), "a.yaml"),
        (None, 0, ("b.yaml",), "b.yaml"),
        (None, 0, ("--config=c.yaml",), "c.yaml"),
        (None, 0, ("-cd.yaml",), None),
        (None, 3, (), None),
        (None, None, (), None),
    ],
)
def test_the_path_is_the_script_s_or_an_argument_s(
    path: str | None, index: int | None, args: tuple[str, ...], written: str | None
) -> None:
    external = External(path, "yaml", ("batch_size",), None, "why", (), index)
    assert written_path(external, args) == written


def test_the_file_beside_the_script_is_edited_and_nothing_else(script: Write) -> None:
    path, config = script(YAML), script("batch_size: 64 # x\n", "config.yaml")
    launch = Launch(read_script(path), (), path.parent)

    change = change_size(launch, 128)

    assert (change.file.path, change.content, change.args) == (config, b"batch_size: 128 # x\n", ())
    assert (change.lines, change.old, change.new) == ((1,), 64, 128)
    assert known_size(launch) == (64, read_script(config))


def test_the_argument_s_file_is_the_one_that_is_read(script: Write) -> None:
    path = script(YAML)
    script("batch_size: 64\n", "config.yaml")
    mine = script("batch_size: 32\n", "mine.yaml")
    launch = Launch(read_script(path), ("--config", "mine.yaml"), path.parent)

    assert change_size(launch, 64).file.path == mine


def test_two_files_that_may_be_meant_are_refused(script: Write, tmp_path: Path) -> None:
    path = script(YAML)
    script("batch_size: 64\n", "config.yaml")
    other = tmp_path / "cwd"
    other.mkdir()
    (other / "config.yaml").write_text("batch_size: 64\n")

    with pytest.raises(SizeKeptError, match="keep one of them"):
        change_size(Launch(read_script(path), (), other), 128)

    (other / "config.yaml").unlink()
    (other / "config.yaml").symlink_to("../config.yaml")
    assert change_size(Launch(read_script(path), (), other), 128).file.path == path.parent / "config.yaml"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "no such file"),
        ("batch_size: auto\n", "config.yaml is not edited: batch_size is 'auto'"),
        ("batch_size: [\n", "config.yaml is not edited: it cannot be read as YAML"),
        ("#" * (MAX_SCRIPT_BYTES + 1), "is larger than"),
    ],
)
def test_a_file_that_cannot_be_edited_is_named(script: Write, config: str | None, said: str) -> None:
    path = script(YAML)
    if config is not None:
        script(config, "config.yaml")
    launch = Launch(read_script(path), (), path.parent)

    with pytest.raises(SizeKeptError, match=said):
        change_size(launch, 128)
    assert known_size(launch) == (None, None)


def test_a_folder_in_its_place_and_one_outside_are_refused(script: Write, tmp_path: Path) -> None:
    path = script(YAML)
    (tmp_path / "config.yaml").mkdir()
    with pytest.raises(SizeKeptError, match="is a folder"):
        change_size(Launch(read_script(path), (), tmp_path), 128)
    with pytest.raises(SizeKeptError, match="no such file that may be read"):
        change_size(Launch(read_script(path), (), tmp_path, inside=lambda _: False), 128)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from config import BATCH\nDataLoader(d, batch_size=BATCH)\n", "module config.*change it there"),
        (YAML.replace("default='config.yaml'", "required=True"), "not certain|no such file"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--bs', required=True)\n"
            "DataLoader(d, batch_size=p.parse_args().bs)\n",
            "argument --bs.*give it on the command line",
        ),
        ("x = 1\n", "No batch size found"),
        ("bs = 64\nbatch_size = 32\n", "2 places"),
    ],
)
def test_what_is_kept_nowhere_that_is_edited_is_said(script: Write, source: str, said: str) -> None:
    launch = Launch(read_script(script(source)))
    with pytest.raises(SizeKeptError, match=said):
        change_size(launch, 128)


def test_the_command_line_wins_over_any_way_of_editing(script: Write) -> None:
    path = script("import argparse\nargparse.ArgumentParser().add_argument('--batch-size', default=64)\n")
    for edit in SizingEdit:
        change = change_size(Launch(read_script(path), ("--batch-size=32",), edit=edit), 64)
        assert (change.content, change.args, change.old) == (None, ("--batch-size=64",), 32)


def test_the_command_line_wins_over_a_chosen_line_too(script: Write) -> None:
    path = script("import argparse\nargparse.ArgumentParser().add_argument('--batch-size', default=64)\n")
    chosen = choose(path.read_bytes(), 2)
    assert isinstance(chosen, SizePlace)
    assert change_size(Launch(read_script(path), ("--batch-size", "8"), at=chosen), 16).args[1] == "16"
    assert change_size(Launch(read_script(path), (), at=chosen), 16).lines == (2,)


def test_of_a_copy_the_size_is_read_whatever_it_is_called(script: Write) -> None:
    launch = Launch(read_script(script(YAML)))
    assert size_in_copy(launch, script("batch_size: 48\n", "size-file")) == 48
    assert size_in_copy(launch, Path("/nowhere")) is None
    assert size_in_copy(Launch(read_script(script("batch_size = 8\n"))), Path("/nowhere")) == 8
    assert size_in_copy(Launch(read_script(script("x = 8\n"))), Path("/nowhere")) is None
