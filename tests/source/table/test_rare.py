"""Sizes that are stored under a condition: one for debugging and its like, and any other."""

import pytest

from tests.source.table.rows import assert_found, assert_outside, assert_refused

USE = "train_loader = DataLoader(ds, batch_size=cfg.batch_size)\n"
HYDRA = "@hydra.main(config_path='conf', config_name='config')\ndef main(cfg):\n"
OUTSIDE: dict[str, tuple[str, str | None, str, tuple[str, ...]]] = {
    "hydra": (
        HYDRA + "    if cfg.debug:\n        cfg.batch_size = 2\n    " + USE,
        "conf/config.yaml",
        "yaml",
        ("batch_size",),
    ),
    "deeper": (
        HYDRA + "    if cfg.train.overfit and rank == 0:\n        cfg.data.batch_size = 2\n"
        "    train_loader = DataLoader(ds, batch_size=cfg.data.batch_size)\n",
        "conf/config.yaml",
        "yaml",
        ("data", "batch_size"),
    ),
    "handed on whole": (
        HYDRA + "    if cfg.fast_dev_run:\n        cfg.data.batch_size = 1\n    fit(instantiate(cfg.data))\n",
        "conf/config.yaml",
        "yaml",
        ("data", "batch_size"),
    ),
    "by mode": (
        "cfg = OmegaConf.load('c.yaml')\nif cfg.mode == 'debug':\n    cfg.batch_size = 2\n" + USE,
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "by a key": (
        "def load(path):\n    cfg = yaml.safe_load(open(path))\n    if cfg.get('smoke_test'):\n"
        "        cfg['batch_size'] = 2\n    return cfg\ncfg = load('c.yaml')\n"
        "train_loader = DataLoader(ds, batch_size=cfg['batch_size'])\n",
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "of a module": (
        "from config import cfg\nif cfg.overfit_batches > 0:\n    cfg.batch_size = 2\n" + USE,
        "config.py",
        "python",
        ("cfg", "batch_size"),
    ),
}
FOUND = {
    "the other branch": "if cfg.debug:\n    n = 2\nelse:\n    n = «64»\n"
    "train_loader = DataLoader(ds, batch_size=n)\n",
    "negated": "n = 2\nif not cfg.debug:\n    n = «64»\ntrain_loader = DataLoader(ds, batch_size=n)\n",
    "in one expression": "n = 2 if cfg.debug else «64»\ntrain_loader = DataLoader(ds, batch_size=n)\n",
    "a function": "def size(debug):\n    if debug:\n        return 2\n    return «64»\n"
    "train_loader = DataLoader(ds, batch_size=size(flag))\n",
    "switched on": "DEBUG = True\nn = «64» if DEBUG else 8\ntrain_loader = DataLoader(ds, batch_size=n)\n",
}
REFUSED = {
    "any condition over a file": "cfg = OmegaConf.load('c.yaml')\nif cfg.large:\n"
    "    cfg.batch_size = «2»\n" + USE,
    "any condition over a module": "from config import cfg\nif cfg.large:\n    cfg.batch_size = «2»\n" + USE,
    "any condition over Hydra": HYDRA + "    if cfg.large:\n        cfg.batch_size = «2»\n    " + USE,
    "any condition over what is passed": "def main(cfg):\n    if cfg.large:\n"
    "        cfg.batch_size = «2»\n    " + USE,
    "any condition without a use": HYDRA + "    if cfg.large:\n        cfg.batch_size = «2»\n    run(cfg)\n",
    "what a function answers with": "cfg = get_cfg()\nif big:\n    cfg.batch_size = «2»\n" + USE,
    "a condition that turns debugging off": "if cfg.no_debug:\n    n = «64»\nelse:\n    n = «2»\n"
    "train_loader = DataLoader(ds, batch_size=n)\n",
    "either of two": HYDRA + "    if cfg.debug or cfg.small:\n        cfg.batch_size = «2»\n    " + USE,
}


@pytest.mark.parametrize(("script", "path", "kind", "keys"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_a_size_for_debugging_is_not_that_of_a_run(
    script: str, path: str | None, kind: str, keys: tuple[str, ...]
) -> None:
    assert_outside(script, path, kind, keys)


@pytest.mark.parametrize("marked", FOUND.values(), ids=FOUND.keys())
def test_the_usual_branch_holds_the_size(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_a_size_that_any_condition_stores_is_refused(marked: str) -> None:
    assert_refused(marked)


def test_arguments_that_ask_for_debugging_leave_the_choice_open() -> None:
    assert_refused(HYDRA + "    if cfg.debug:\n        cfg.batch_size = «2»\n    " + USE, ["debug=true"])
