"""Sizes that are worked out: arithmetic of literals, factors, the environment, conditions."""

import pytest

from tests.source.table.rows import assert_found, assert_refused

USE = "\ntrain_loader = DataLoader(train_ds, batch_size={}, shuffle=True)\n"
TORCH = "import os\nimport torch\n"

ROWS = {
    "product": ("n = «2 * 32»" + USE.format("n"), 64),
    "power": ("n = «2 ** 6»" + USE.format("n"), 64),
    "in place": (USE.format("«4 * 16»"), 64),
    "underscores": ("n = «6_4»" + USE.format("n"), 64),
    "environment": (TORCH + "n = int(os.environ.get('BS', '«64»'))" + USE.format("n"), 64),
    "environment without int": (TORCH + "n = os.environ.get('BS', «64»)" + USE.format("int(n)"), 64),
    "getenv": (TORCH + "n = int(os.getenv('BS', «64»))" + USE.format("n"), 64),
    "getenv or": (TORCH + "n = int(os.getenv('BS') or «64»)" + USE.format("n"), 64),
    "environ or": (TORCH + "n = os.environ.get('BS') or «64»" + USE.format("n"), 64),
    "in environ": (TORCH + "n = int(os.environ['BS']) if 'BS' in os.environ else «64»" + USE.format("n"), 64),
    "per GPU": (TORCH + "n = «64» * torch.cuda.device_count()" + USE.format("n"), 64),
    "named per GPU": (TORCH + "n = «64»" + USE.format("n * torch.cuda.device_count()"), 64),
    "by a number of GPUs": ("n_gpu = 2\nbatch_size = «64» * n_gpu" + USE.format("batch_size"), 64),
    "of the world": (
        TORCH + "world_size = torch.distributed.get_world_size()\nbs = «64»" + USE.format("bs // world_size"),
        64,
    ),
    "over accumulation": ("accumulation = 4\nbs = «64»" + USE.format("bs // accumulation"), 64),
    "true division": ("accumulation = 4\nbs = «64»" + USE.format("int(bs / accumulation)"), 64),
    "max of one": ("accumulation = 4\nbs = «64»" + USE.format("max(1, bs // accumulation)"), 64),
    "min of the data": ("bs = «64»" + USE.format("min(bs, len(train_ds))"), 64),
    "min of a number": ("bs = «64»" + USE.format("min(bs, 512)"), 64),
    "replicas": (
        "import tensorflow as tf\nstrategy = tf.distribute.MirroredStrategy()\n"
        "BATCH_SIZE_PER_REPLICA = «64»\n"
        "BATCH_SIZE = BATCH_SIZE_PER_REPLICA * strategy.num_replicas_in_sync\ntrain = ds.batch(BATCH_SIZE)\n",
        64,
    ),
    "augmented by the world": (
        "import torch\nbs = «64»\nbs //= torch.distributed.get_world_size()" + USE.format("bs"),
        64,
    ),
    "debug constant": ("DEBUG = False\nn = 2 if DEBUG else «64»" + USE.format("n"), 64),
    "debug branch": ("DEBUG = False\nn = «64»\nif DEBUG:\n    n = 2" + USE.format("n"), 64),
    "debug in a class": ("class C:\n    debug = False\n    n = 2 if debug else «64»" + USE.format("C.n"), 64),
    "not debug": ("DEBUG = False\nif not DEBUG:\n    n = «64»\nelse:\n    n = 2" + USE.format("n"), 64),
    "comparison": ("SIZE = 'base'\nn = «64» if SIZE == 'base' else 16" + USE.format("n"), 64),
    "order": ("LEN = 128\nn = «64» if LEN < 256 else 16" + USE.format("n"), 64),
    "membership": ("M = 'b0'\nn = «64» if M in ('b0', 'b1') else 16" + USE.format("n"), 64),
    "and": ("A = True\nB = False\nn = 8 if A and B else «64»" + USE.format("n"), 64),
    "none": ("given = None\nn = given or «64»" + USE.format("n"), 64),
    "is none": ("given = None\nn = «64» if given is None else given" + USE.format("n"), 64),
    "filled in": (
        "def make(ds, n=None):\n    if n is None:\n        n = «64»\n"
        "    return DataLoader(ds, batch_size=n)\ntrain_loader = make(a)\n",
        64,
    ),
}


@pytest.mark.parametrize(("marked", "value"), ROWS.values(), ids=ROWS.keys())
def test_what_is_worked_out_comes_from_its_literal(marked: str, value: int) -> None:
    assert_found(marked, value)


def test_a_factor_is_named_in_the_reason() -> None:
    answer = assert_found(
        "import torch\nn = «64» * torch.cuda.device_count()\nx = DataLoader(ds, batch_size=n)\n", 64
    )

    assert "torch.cuda.device_count()" in answer.why
    assert any("torch.cuda.device_count()" in step for step in answer.chain)


GROWING = {
    "by the epoch": "for epoch in range(9):\n    x = DataLoader(ds, batch_size=«64» * (epoch + 1))\n",
    "by a power of the stage": "for stage in range(9):\n    x = DataLoader(ds, batch_size=«64» * 2**stage)\n",
    "of a constant": "N = «64»\nfor epoch in range(9):\n    n = N * (epoch + 1)\n"
    "    x = DataLoader(ds, batch_size=n)\n",
    "up to a bound": "for epoch in range(9):\n"
    "    x = DataLoader(ds, batch_size=min(«64» * (epoch + 1), 512))\n",
}
UNCLEAR = {
    "two constants": "N = «64»\nM = «3»\nx = DataLoader(ds, batch_size=N * M)\n",
    "a number and a list": "for n in [1, 2]:\n    x = DataLoader(ds, batch_size=«64» * n)\n",
    "a number and a constant": "n = «5»\nx = DataLoader(ds, batch_size=«64» * n)\n",
}


@pytest.mark.parametrize("marked", GROWING.values(), ids=GROWING.keys())
def test_a_size_that_grows_with_training_comes_from_its_literal(marked: str) -> None:
    answer = assert_found(marked, 64)

    assert "worked on with" in answer.why


@pytest.mark.parametrize("marked", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_product_of_what_may_both_be_sizes_is_refused(marked: str) -> None:
    assert_refused(marked)
