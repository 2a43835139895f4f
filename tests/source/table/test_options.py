"""Sizes that are options: argparse, click, typer, absl, fire, and what the arguments make of them."""

import pytest

from supervisor.source.edit import change_args
from supervisor.source.locate import Located, locate_batch_size
from tests.source.table.rows import assert_found, plain

HEAD = "import argparse\nparser = argparse.ArgumentParser()\n"
TAIL = "args = parser.parse_args()\ntrain_loader = DataLoader(ds, batch_size=args.batch_size, shuffle=True)\n"

ROWS = {
    "argparse": HEAD + 'parser.add_argument("--batch-size", type=int, default=«64»)\n' + TAIL,
    "a string": HEAD + 'parser.add_argument("--batch-size", type=int, default="«64»")\n' + TAIL,
    "short first": HEAD + 'parser.add_argument("-b", "--batch-size", default=«64», type=int)\n' + TAIL,
    "dest": HEAD + 'parser.add_argument("--bs", dest="batch_size", default=«64»)\n' + TAIL,
    "group": HEAD
    + 'g = parser.add_argument_group("train")\ng.add_argument("--batch_size", default=«64»)\n'
    + TAIL,
    "subparser": HEAD
    + 's = parser.add_subparsers()\np = s.add_parser("train")\np.add_argument("--batch_size", default=«64»)\n'
    + TAIL,
    "default by name": "BATCH_SIZE = «64»\n"
    + HEAD
    + 'parser.add_argument("--batch-size", default=BATCH_SIZE)\n'
    + TAIL,
    "default of a dict": "D = {'batch_size': «64»}\n"
    + HEAD
    + 'parser.add_argument("--batch-size", default=D["batch_size"])\n'
    + TAIL,
    "default of the environment": "import os\n"
    + HEAD
    + 'parser.add_argument("--batch-size", default=int(os.environ.get("BS", «64»)))\n'
    + TAIL,
    "set_defaults": HEAD
    + 'parser.add_argument("--batch-size", type=int)\nparser.set_defaults(batch_size=«64»)\n'
    + TAIL,
    "beside evaluation": HEAD + 'parser.add_argument("--batch-size", default=«64»)\n'
    'parser.add_argument("--test-batch-size", default=1000)\n'
    + TAIL
    + "test_loader = DataLoader(t, batch_size=args.test_batch_size)\n",
    "known args": HEAD
    + 'parser.add_argument("--batch_size", default=«64»)\nargs, rest = parser.parse_known_args()\n'
    "train_loader = DataLoader(ds, batch_size=args.batch_size)\n",
    "in a function": "def get_args():\n    parser = argparse.ArgumentParser()\n"
    '    parser.add_argument("--batch_size", default=«64»)\n    return parser.parse_args()\n'
    "def main(opt):\n    train_loader = DataLoader(ds, batch_size=opt.batch_size)\nmain(get_args())\n",
    "vars": HEAD + 'parser.add_argument("--batch_size", default=«64»)\ncfg = vars(parser.parse_args())\n'
    "train_loader = DataLoader(ds, batch_size=cfg['batch_size'])\n",
    "main with vars": "def main(batch_size, lr):\n    train_loader = DataLoader(ds, batch_size=batch_size)\n"
    + HEAD
    + 'parser.add_argument("--batch_size", default=«64»)\nmain(**vars(parser.parse_args()))\n',
    "held by self": HEAD
    + 'parser.add_argument("--batch_size", default=«64»)\nargs = parser.parse_args()\nclass T:\n'
    "    def __init__(self, args):\n        self.args = args\n"
    "        self.bs = args.batch_size\n    def run(self):\n"
    "        train_loader = DataLoader(ds, batch_size=self.bs)\nT(args).run()\n",
    "divided among GPUs": HEAD
    + 'parser.add_argument("--batch_size", default=«64»)\nimport torch\nargs = parser.parse_args()\n'
    "if args.distributed:\n    args.batch_size = int(args.batch_size / torch.cuda.device_count())\n"
    "train_loader = DataLoader(ds, batch_size=args.batch_size)\n",
    "never used here": HEAD
    + 'parser.add_argument("--batch-size", default=«64»)\nargs = parser.parse_args()\nrun(args)\n',
    "under another name": HEAD
    + 'arg = parser.add_argument\narg("--batch-size", type=int, default=«64»)\n'
    + TAIL,
    "multiline": HEAD
    + 'parser.add_argument(\n    "--batch-size",\n    type=int,\n    default=«64»,\n    help="x",\n)\n'
    + TAIL,
    "debug switch that is off": HEAD + 'parser.add_argument("--batch-size", default=«64»)\n'
    'parser.add_argument("--debug", action="store_true")\nargs = parser.parse_args()\n'
    "if args.debug:\n    args.batch_size = 2\ntrain_loader = DataLoader(ds, batch_size=args.batch_size)\n",
    "choice by an option": HEAD
    + 'parser.add_argument("--data", default="cifar")\nargs = parser.parse_args()\n'
    'if args.data == "cifar":\n    n = «64»\nelse:\n'
    "    n = 256\ntrain_loader = DataLoader(ds, batch_size=n)\n",
    "click": '@click.command()\n@click.option("--batch-size", "-b", default=«64»)\ndef main(batch_size):\n'
    "    train_loader = DataLoader(ds, batch_size=batch_size)\nmain()\n",
    "click with another name": '@click.command()\n@click.option("--bs", "n", default=«64»)\ndef main(n):\n'
    "    train_loader = DataLoader(ds, batch_size=n)\nmain()\n",
    "typer": "def main(batch_size: int = typer.Option(«64», help='x')):\n"
    "    train_loader = DataLoader(ds, batch_size=batch_size)\n"
    "typer.run(main)\n",
    "typer plain": "@app.command()\ndef main(batch_size: int = «64»):\n"
    "    train_loader = DataLoader(ds, batch_size=batch_size)\napp()\n",
    "fire": "def main(batch_size=«64», lr=0.1):\n"
    "    train_loader = DataLoader(ds, batch_size=batch_size)\nfire.Fire(main)\n",
    "fire with micro batches": "def train(batch_size: int = 128, micro_batch_size: int = «64»):\n"
    "    steps = batch_size // micro_batch_size\n"
    "    a = TrainingArguments(per_device_train_batch_size=micro_batch_size)\n"
    "fire.Fire(train)\n",
    "absl": "from absl import flags\nFLAGS = flags.FLAGS\nflags.DEFINE_integer('batch_size', «64», 'x')\n"
    "train_ds = ds.batch(FLAGS.batch_size)\n",
    "absl imported": "from absl.flags import FLAGS\nfrom absl import flags\n"
    "flags.DEFINE_integer('batch_size', «64», 'x')\n"
    "train_ds = ds.batch(FLAGS.batch_size)\n",
    "absl holder": "from absl import flags\nBS = flags.DEFINE_integer('batch_size', «64», 'x')\n"
    "train_ds = ds.batch(BS.value)\n",
    "tensorflow 1": "tf.app.flags.DEFINE_integer('batch_size', «64», 'x')\nFLAGS = tf.app.flags.FLAGS\n"
    "run(FLAGS.batch_size)\n",
    "HF dataclass": "@dataclass\nclass Args:\n"
    "    batch_size: int = field(default=«64», metadata={'help': 'x'})\n"
    "parser = HfArgumentParser((Model, Args))\nmodel_args, args = parser.parse_args_into_dataclasses()\n"
    "train_loader = DataLoader(ds, batch_size=args.batch_size)\n",
    "simple parsing": "@dataclass\nclass Args:\n    batch_size: int = «64»\nargs = tyro.cli(Args)\n"
    "train_loader = DataLoader(ds, batch_size=args.batch_size)\n",
}
ARGS = {
    "two words": (["--batch-size", "64"], ["--batch-size", "128"]),
    "equals": (["--batch-size=64"], ["--batch-size=128"]),
    "short": (["-b", "64"], ["-b", "128"]),
    "glued": (["-b64"], ["-b128"]),
    "abbreviated": (["--batch", "64"], ["--batch", "128"]),
    "among others": (
        ["--lr", "0.1", "--batch-size", "64", "--debug"],
        ["--lr", "0.1", "--batch-size", "128", "--debug"],
    ),
    "twice": (["-b", "8", "-b", "64"], ["-b", "8", "-b", "128"]),
}
PARSED = (
    HEAD + 'parser.add_argument("-b", "--batch-size", default=32)\n'
    'parser.add_argument("--debug", action="store_true")\n' + TAIL
)


@pytest.mark.parametrize("marked", ROWS.values(), ids=ROWS.keys())
def test_the_default_of_an_option_is_found(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize(("args", "changed"), ARGS.values(), ids=ARGS.keys())
def test_an_argument_wins_over_the_default(args: list[str], changed: list[str]) -> None:
    answer = locate_batch_size(PARSED.encode(), args)

    assert isinstance(answer, Located)
    assert (answer.value, answer.places) == (64, ())
    assert change_args(args, answer, 128) == tuple(changed)


def test_an_option_of_any_name_that_the_loader_is_given_is_the_argument() -> None:
    source = plain(
        HEAD + 'parser.add_argument("--images-at-once", default=8)\nargs = parser.parse_args()\n'
        "train_loader = DataLoader(ds, batch_size=args.images_at_once)\n"
    )

    answer = locate_batch_size(source, ["--images-at-once", "64"])

    assert isinstance(answer, Located)
    assert answer.argument is not None
    assert change_args(["--images-at-once", "64"], answer, 128) == ("--images-at-once", "128")


def test_an_argument_by_its_position_is_changed_there() -> None:
    source = b"import sys\nn = int(sys.argv[2])\nmodel.fit(x, y, batch_size=n)\n"

    answer = locate_batch_size(source, ["3", "64"])

    assert isinstance(answer, Located)
    assert change_args(["3", "64"], answer, 128) == ("3", "128")


def test_a_switch_that_is_given_decides_what_is_in_doubt() -> None:
    script = HEAD + 'parser.add_argument("--debug", action="store_true")\nargs = parser.parse_args()\n'
    script += "n = «8» if args.debug else 64\ntrain_loader = DataLoader(ds, batch_size=n)\n"

    answer = locate_batch_size(plain(script), ["--debug"])

    assert not isinstance(answer, Located) or answer.value == 8
