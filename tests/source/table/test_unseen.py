"""Sizes that are used and set elsewhere: never said to be missing."""

import pytest

from tests.source.table.rows import assert_none, assert_outside, assert_refused

REFUSED = {
    "configuration that nobody passes": "def train(config):\n"
    "    loader = DataLoader(ds, batch_size=config.batch_size)\n",
    "under a name of its own": "def train(config):\n    loader = DataLoader(ds, batch_size=config.n)\n",
    "two attributes deep": "def train(config):\n    ds = pipeline(config.training.batch_size)\n",
    "checked and divided": "def train(config):\n    if config.batch_size % n:\n        raise ValueError\n",
    "kept by an object": "class T:\n    def __init__(self, cfg):\n        self.cfg = cfg\n"
    "    def go(self):\n        f(self.cfg.batch_size)\n",
    "counting steps": "cfg = something()\nsteps = n // cfg['batch_size']\n",
    "parameter": "def train(x, batch_size):\n    for i in range(0, len(x), batch_size):\n        step(x)\n",
    "only for debugging": "def main(cfg):\n    if cfg.debug:\n        cfg.batch_size = 2\n"
    "    loader = DataLoader(ds, batch_size=cfg.batch_size)\n",
}
NONE = {
    "evaluation": "def evaluate(cfg):\n    n = cfg.batch_size\n",
    "parameter of evaluation": "def validate(rows, batch_size):\n    return rows[:batch_size]\n",
    "of a loader": "loader = DataLoader(ds)\nprint(loader.batch_size)\n",
    "a batch": "def step(batch):\n    return model(batch)\n",
    "counted": "def step(x):\n    batch_size = x.size(0)\n    return loss / batch_size\n",
}
FLAGS = "from absl import flags\nfrom ml_collections import config_flags\nFLAGS = flags.FLAGS\n"
OUTSIDE: dict[str, tuple[str, str | None, str, tuple[str, ...]]] = {
    "configuration by a flag": (
        FLAGS + "config_flags.DEFINE_config_file('config', None, 'x', lock_config=True)\n"
        "run(FLAGS.config.training.batch_size)\n",
        None,
        "python",
        ("training", "batch_size"),
    ),
    "configuration by a flag with a default": (
        FLAGS + "config_flags.DEFINE_config_file('config', 'configs/a.py')\n"
        "train_loader = DataLoader(ds, batch_size=FLAGS.config.batch_size)\n",
        "configs/a.py",
        "python",
        ("batch_size",),
    ),
    "configuration by a flag passed on": (
        FLAGS + "config_flags.DEFINE_config_file('config', default='configs/a.py')\n"
        "def train(config):\n    loader = DataLoader(ds, batch_size=config.data.batch_size)\n"
        "def main(argv):\n    train(FLAGS.config)\n",
        "configs/a.py",
        "python",
        ("data", "batch_size"),
    ),
    "configuration by the flag's holder": (
        "_CONFIG = config_flags.DEFINE_config_file('config')\n"
        "train_loader = DataLoader(ds, batch_size=_CONFIG.value.batch_size)\n",
        None,
        "python",
        ("batch_size",),
    ),
    "file that only counts steps": (
        "cfg = yaml.safe_load(open('c.yaml'))\nsteps = n // cfg['batch_size']\n",
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "file that only counts steps, by get": (
        "cfg = json.load(open('c.json'))\nsteps = n // cfg['train'].get('batch_size', 8)\n",
        "c.json",
        "json",
        ("train", "batch_size"),
    ),
}


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_a_size_whose_value_is_not_in_sight_is_refused(marked: str) -> None:
    assert_refused(marked)


@pytest.mark.parametrize("script", NONE.values(), ids=NONE.keys())
def test_what_is_no_size_of_training_is_none(script: str) -> None:
    assert_none(script)


@pytest.mark.parametrize(("script", "path", "kind", "keys"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_a_size_that_something_else_holds_is_named(
    script: str, path: str | None, kind: str, keys: tuple[str, ...]
) -> None:
    assert_outside(script, path, kind, keys)


@pytest.mark.parametrize(("args", "index"), [(["--config", "b.py"], 1), (["--config=b.py"], 0)])
def test_a_configuration_that_an_argument_names_is_told_by_its_position(args: list[str], index: int) -> None:
    script = (
        FLAGS + "config_flags.DEFINE_config_file('config', 'configs/a.py')\nrun(FLAGS.config.batch_size)\n"
    )

    assert assert_outside(script, None, "python", ("batch_size",), args).argument_index == index
