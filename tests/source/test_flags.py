"""The flag that sets the size is appended only where the script's parser has it for certain."""

import pytest

from supervisor.domain.sizing import SizePlace
from supervisor.source.chosen import choose, find_chosen
from supervisor.source.flags import with_flag
from supervisor.source.locate import locate_batch_size

LOADER = "loader = DataLoader(d, batch_size={}, shuffle=True)\n"
ARGPARSE = """\
import argparse
p = argparse.ArgumentParser()
p.add_argument("-b", "--batch-size", type=int, default=64)
p.add_argument("--lr", type=float, default=0.1)
args = p.parse_args()
""" + LOADER.format("args.batch_size")
TYPER = "import typer\ndef main(batch_size: int = {}):\n    DataLoader(d, batch_size=batch_size)\n"
FLAGS = {
    "argparse": (ARGPARSE, (), ("--batch-size", "128")),
    "behind others": (ARGPARSE, ("--lr", "1"), ("--lr", "1", "--batch-size", "128")),
    "before the end of options": (ARGPARSE, ("--", "x"), ("--batch-size", "128", "--", "x")),
    "click": (
        "import click\n@click.command()\n@click.option('--batch-size', default=64)\n"
        "def main(batch_size):\n    DataLoader(d, batch_size=batch_size)\nmain()\n",
        (),
        ("--batch-size", "128"),
    ),
    "typer.run": (TYPER.format("64") + "typer.run(main)\n", (), ("--batch-size", "128")),
    "typer, named": (
        TYPER.replace("int =", "Annotated[int, typer.Option('--bs')] =").format("64") + "typer.run(main)\n",
        (),
        ("--bs", "128"),
    ),
    "a typer application": (
        TYPER.format("64").replace("def main", "app = typer.Typer()\n@app.command()\ndef main") + "app()\n",
        (),
        ("--batch-size", "128"),
    ),
    "fire": (TYPER.format("64").replace("typer", "fire") + "fire.Fire(main)\n", (), ("--batch_size", "128")),
    "a dataclass that a parser reads": (
        "from dataclasses import dataclass\n@dataclass\nclass Args:\n    batch_size: int = 64\n"
        "(args,) = HfArgumentParser((Args,)).parse_args_into_dataclasses()\n"
        + LOADER.format("args.batch_size"),
        (),
        ("--batch_size", "128"),
    ),
    "Hydra": (
        "import hydra\n@hydra.main(config_path='conf', config_name='config')\n"
        "def main(cfg):\n    DataLoader(d, batch_size=cfg.train.batch_size, shuffle=True)\nmain()\n",
        ("seed=1",),
        ("seed=1", "train.batch_size=128"),
    ),
}
NONE = {
    "a constant": "BATCH_SIZE = 64\n" + LOADER.format("BATCH_SIZE"),
    "a parser of other things": ARGPARSE.replace('"-b", "--batch-size"', '"--bs-x"').replace(
        "batch_size=args.batch_size", "batch_size=64"
    ),
    "a function without a parser": TYPER.format("64") + "main()\n",
    "a typer argument": TYPER.format("typer.Argument(64)") + "typer.run(main)\n",
    "two typer commands": TYPER.format("64").replace(
        "def main", "app = typer.Typer()\n@app.command()\ndef other(): ...\n@app.command()\ndef main"
    )
    + "app()\n",
    "a dataclass without a parser": "@dataclass\nclass Args:\n    batch_size: int = 64\n"
    + LOADER.format("Args().batch_size"),
    "a YAML file": "import yaml\ncfg = yaml.safe_load(open('c.yaml'))\n" + LOADER.format("cfg['batch_size']"),
    "two options of one name": ARGPARSE.replace(
        "args = p", "q = argparse.ArgumentParser()\nq.add_argument('--batch_size', default=8)\nargs = p"
    ),
    "no Python": "print 1\n",
}


@pytest.mark.parametrize(("source", "args", "changed"), FLAGS.values(), ids=FLAGS.keys())
def test_the_script_s_own_flag_is_appended(
    source: str, args: tuple[str, ...], changed: tuple[str, ...]
) -> None:
    answer = locate_batch_size(source.encode(), args)
    assert with_flag(source.encode(), args, answer, 128) == changed


@pytest.mark.parametrize("source", NONE.values(), ids=NONE.keys())
def test_without_a_certain_flag_there_is_none(source: str) -> None:
    answer = locate_batch_size(source.encode())
    assert with_flag(source.encode(), (), answer, 128) is None


def test_an_argument_that_sets_the_size_already_is_not_given_twice() -> None:
    answer = locate_batch_size(ARGPARSE.encode(), ("-b", "32"))
    assert with_flag(ARGPARSE.encode(), ("-b", "32"), answer, 128) is None


def test_a_flag_that_does_not_set_the_size_is_not_appended() -> None:
    """The caller chose a number that the search does not take for a batch size: its flag proves nothing."""
    source = b"BATCH_SIZE = 64\np.add_argument('--warmup', default=5)\nDataLoader(d, batch_size=BATCH_SIZE)\n"
    chosen = choose(source, 2)
    assert isinstance(chosen, SizePlace)
    assert with_flag(source, (), find_chosen(source, chosen), 10) is None
