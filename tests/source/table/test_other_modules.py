"""Settings of the project's other modules: imported by name, or parsed by a class of theirs."""

import pytest

from tests.source.table.rows import assert_found, assert_outside, assert_refused

USE = "train_loader = DataLoader(ds, batch_size={})\n"
OPTION = "p.add_argument('--config', default='configs.a')\nargs = p.parse_args()\n"
ROWS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "import_module": (
        "c = importlib.import_module(args.config)\n" + USE.format("c.batch_size"),
        None,
        ("batch_size",),
    ),
    "import_module at once": (USE.format("importlib.import_module(name).batch_size"), None, ("batch_size",)),
    "import_module by an option": (
        OPTION + "c = importlib.import_module(args.config)\n" + USE.format("c.bs"),
        "configs/a.py",
        ("bs",),
    ),
    "import_module and a call": (
        OPTION + "c = import_module(args.config).get_config()\n" + USE.format("c.train.batch_size"),
        "configs/a.py",
        ("train", "batch_size"),
    ),
    "import_module and a class": (
        "c = importlib.import_module('configs.' + name).Config()\n" + USE.format("c.batch_size"),
        None,
        ("batch_size",),
    ),
    "import_module and getattr": (
        "c = getattr(importlib.import_module('configs'), name)()\n" + USE.format("c.batch_size"),
        "configs.py",
        ("batch_size",),
    ),
    "module of a spec": (
        "spec = importlib.util.spec_from_file_location('c', p)\nc = importlib.util.module_from_spec(spec)\n"
        + USE.format("c.batch_size"),
        None,
        ("batch_size",),
    ),
    "options parsed": (
        "from options.train_options import TrainOptions\nopt = TrainOptions().parse()\n"
        + USE.format("opt.batchSize"),
        "options/train_options.py",
        ("TrainOptions", "batchSize"),
    ),
    "options parsed in two lines": (
        "from options import MyOptions\noptions = MyOptions()\nopt = options.parse()\n"
        + USE.format("opt.batch_size"),
        "options.py",
        ("MyOptions", "batch_size"),
    ),
    "options parsed and passed on": (
        "from opts import Opts\nclass T:\n    def __init__(self, opt):\n        self.opt = opt\n"
        "    def go(self):\n        return DataLoader(ds, batch_size=self.opt.batch_size)\n"
        "T(Opts().parse()).go()\n",
        "opts.py",
        ("Opts", "batch_size"),
    ),
    "options that count": (
        "from options import Options\nopt = Options().parse()\ndata = make(opt)\nseen += opt.batch_size\n",
        "options.py",
        ("Options", "batch_size"),
    ),
    "parser of another module": (
        "from utils import get_parser\nargs = get_parser().parse_args()\n" + USE.format("args.batch_size"),
        "utils.py",
        ("get_parser", "batch_size"),
    ),
}


@pytest.mark.parametrize(("script", "path", "keys"), ROWS.values(), ids=ROWS.keys())
def test_settings_of_another_module_are_named(script: str, path: str | None, keys: tuple[str, ...]) -> None:
    assert_outside(script, path, "python", keys)


def test_a_module_that_an_argument_names_is_told_by_its_position() -> None:
    script = OPTION + "c = importlib.import_module(args.config)\n" + USE.format("c.bs")

    assert assert_outside(script, None, "python", ("bs",), ["--config", "b"]).argument_index == 1


def test_what_is_stored_into_the_settings_afterwards_wins() -> None:
    assert_found(
        "from options import Options\nopt = Options().parse()\nopt.batch_size = «64»\n"
        "train_loader = DataLoader(ds, batch_size=opt.batch_size)\n",
        64,
    )


def test_a_parser_of_a_library_says_nothing_of_the_size() -> None:
    assert_refused("import argparse\nargs = argparse.ArgumentParser().parse_args()\n" + USE.format("args.bs"))
