"""Sizes that live in another file, in the environment, or on the command line alone."""

import pytest

from tests.source.table.rows import assert_outside

USE = "train_loader = DataLoader(ds, batch_size={})\n"
YAML = "import yaml\n"

ROWS: dict[str, tuple[str, str | None, str, tuple[str, ...]]] = {
    "yaml": (
        YAML + "c = yaml.safe_load(open('config.yaml'))\n" + USE.format("c['batch_size']"),
        "config.yaml",
        "yaml",
        ("batch_size",),
    ),
    "yaml nested": (
        YAML + "c = yaml.safe_load(open('a/c.yml'))\n" + USE.format("c['train']['batch_size']"),
        "a/c.yml",
        "yaml",
        ("train", "batch_size"),
    ),
    "yaml with": (
        YAML
        + "with open('c.yaml') as f:\n    c = yaml.load(f, Loader=yaml.FullLoader)\n"
        + USE.format("c['bs']"),
        "c.yaml",
        "yaml",
        ("bs",),
    ),
    "yaml by get": (
        YAML + "c = yaml.safe_load(open('c.yaml'))\n" + USE.format("c.get('batch_size', 8)"),
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "yaml in a function": (
        YAML
        + "def load(path):\n    with open(path) as f:\n        return yaml.safe_load(f)\nc = load('c.yaml')\n"
        + USE.format("c['batch_size']"),
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "yaml path default": (
        YAML + "p.add_argument('--config', default='c.yaml')\nargs = p.parse_args()\n"
        "c = yaml.safe_load(open(args.config))\n" + USE.format("c['batch_size']"),
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "yaml of a path": (
        YAML
        + "from pathlib import Path\nc = yaml.safe_load(Path('c.yaml').read_text())\n"
        + USE.format("c['n']"),
        "c.yaml",
        "yaml",
        ("n",),
    ),
    "yaml into an object": (
        YAML + "c = EasyDict(yaml.safe_load(open('c.yaml')))\n" + USE.format("c.train.batch_size"),
        "c.yaml",
        "yaml",
        ("train", "batch_size"),
    ),
    "yaml into a namespace": (
        YAML + "c = SimpleNamespace(**yaml.safe_load(open('c.yaml')))\n" + USE.format("c.batch_size"),
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "json": (
        "import json\nc = json.load(open('c.json'))\n" + USE.format("c['batch_size']"),
        "c.json",
        "json",
        ("batch_size",),
    ),
    "json text": (
        "import json\nc = json.loads(open('c.json').read())\n" + USE.format("c['batch_size']"),
        "c.json",
        "json",
        ("batch_size",),
    ),
    "toml": (
        "import tomllib\nwith open('c.toml', 'rb') as f:\n    c = tomllib.load(f)\n"
        + USE.format("c['train']['bs']"),
        "c.toml",
        "toml",
        ("train", "bs"),
    ),
    "omegaconf": (
        "from omegaconf import OmegaConf\nc = OmegaConf.load('c.yaml')\n" + USE.format("c.train.batch_size"),
        "c.yaml",
        "yaml",
        ("train", "batch_size"),
    ),
    "hydra": (
        "@hydra.main(config_path='conf', config_name='config')\ndef main(cfg):\n    "
        + USE.format("cfg.data.batch_size")
        + "main()\n",
        "conf/config.yaml",
        "yaml",
        ("data", "batch_size"),
    ),
    "hydra without folder": (
        "@hydra.main(version_base=None, config_name='c.yaml')\ndef main(cfg):\n    "
        + USE.format("cfg.bs")
        + "main()\n",
        "c.yaml",
        "yaml",
        ("bs",),
    ),
    "hydra composed": (
        "with initialize(config_path='conf'):\n    cfg = compose(config_name='config')\n"
        + USE.format("cfg.data.batch_size"),
        "conf/config.yaml",
        "yaml",
        ("data", "batch_size"),
    ),
    "ini": (
        "import configparser\nc = configparser.ConfigParser()\nc.read('c.ini')\n"
        + USE.format("c.getint('train', 'batch_size')"),
        "c.ini",
        "ini",
        ("train", "batch_size"),
    ),
    "ini by keys": (
        "import configparser\nc = configparser.ConfigParser()\nc.read('c.ini')\n"
        + USE.format("int(c['train']['batch_size'])"),
        "c.ini",
        "ini",
        ("train", "batch_size"),
    ),
    "own loader of yaml": (
        "from utils import load_config\nc = load_config('c.yaml')\n" + USE.format("c.batch_size"),
        "c.yaml",
        "yaml",
        ("batch_size",),
    ),
    "imported constant": (
        "from config import BATCH_SIZE\n" + USE.format("BATCH_SIZE"),
        "config.py",
        "python",
        ("BATCH_SIZE",),
    ),
    "imported class": (
        "from config import CFG\n" + USE.format("CFG.batch_size"),
        "config.py",
        "python",
        ("CFG", "batch_size"),
    ),
    "imported module": (
        "import config as c\n" + USE.format("c.BATCH_SIZE"),
        "config.py",
        "python",
        ("BATCH_SIZE",),
    ),
    "imported from a package": (
        "from src.config import bs\n" + USE.format("bs"),
        "src/config.py",
        "python",
        ("bs",),
    ),
    "wildcard": (
        "from torch import *\nfrom config import *\n" + USE.format("BATCH_SIZE"),
        "config.py",
        "python",
        ("BATCH_SIZE",),
    ),
    "only read by name": (
        "from config import cfg\nrun(cfg.batch_size)\n",
        "config.py",
        "python",
        ("cfg", "batch_size"),
    ),
    "required option": (
        "p.add_argument('--batch-size', type=int, required=True)\na = p.parse_args()\n"
        + USE.format("a.batch_size"),
        None,
        "args",
        ("--batch-size",),
    ),
    "environment alone": ("import os\n" + USE.format("int(os.environ['BS'])"), None, "env", ("BS",)),
    "argument by position": ("import sys\n" + USE.format("int(sys.argv[1])"), None, "args", ("1",)),
}


@pytest.mark.parametrize(("script", "path", "kind", "keys"), ROWS.values(), ids=ROWS.keys())
def test_a_size_outside_the_script_is_told_with_its_place(
    script: str, path: str | None, kind: str, keys: tuple[str, ...]
) -> None:
    answer = assert_outside(script, path, kind, keys)

    assert answer.argument_index is None
    assert answer.chain


@pytest.mark.parametrize(
    ("args", "index"),
    [(["--config", "b.yaml"], 1), (["--config=b.yaml"], 0), (["-x", "--conf", "b.yaml"], 2)],
)
def test_a_path_that_an_argument_gives_is_told_by_its_position(args: list[str], index: int) -> None:
    script = (
        YAML + "p.add_argument('--config', default='c.yaml')\nargs = p.parse_args()\n"
        "c = yaml.safe_load(open(args.config))\n" + USE.format("c['batch_size']")
    )

    answer = assert_outside(script, None, "yaml", ("batch_size",), args)

    assert answer.argument_index == index
