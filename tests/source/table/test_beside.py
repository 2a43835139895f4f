"""Names bound twice: by helpers, by a later binding, and constants that only count steps."""

import pytest

from tests.source.table.rows import assert_found, assert_refused

LOOP = "for i in range(0, n, batch_size):\n    step(i)\n"
STEPS = "steps = len(ds) // BATCH_SIZE\n"
FOUND = {
    "size of data in a helper": "batch_size = «64»\ndef acc(x):\n    batch_size = x.size(0)\n"
    "    return batch_size\n" + LOOP,
    "size of data or one": "batch_size = «64»\ndef acc(x):\n"
    "    batch_size = x.size(0) if x.dim() > 1 else 1\n    return batch_size\n" + LOOP,
    "default of a helper that nobody calls": "batch_size = «64»\ndef helper(x, batch_size=100):\n"
    "    return x[:batch_size]\n" + LOOP,
    "default of a helper that measures": "batch_size = «64»\ndef get_accuracy(x, batch_size=100):\n"
    "    return x[:batch_size]\n" + LOOP + "get_accuracy(x)\n",
    "default of a helper that shows": "batch_size = «64»\ndef show_batch(x, batch_size=4):\n"
    "    return x[:batch_size]\n" + LOOP + "show_batch(x)\n",
    "a later binding": "batch_size = 32\nprint(batch_size)\nbatch_size = «64»\n"
    "train_loader = DataLoader(ds, batch_size=batch_size)\n",
    "a later binding read in a function": "batch_size = 32\ndef loader():\n"
    "    return DataLoader(ds, batch_size=batch_size)\nbatch_size = «64»\ntrain_loader = loader()\n",
    "a class attribute bound later": "class C:\n    batch_size = 32\nC.batch_size = «64»\n"
    "train_loader = DataLoader(ds, batch_size=C.batch_size)\n",
    "loader by position": "BATCH_SIZE = 32\ntrain_loader = DataLoader(ds, «64», shuffle=True)\n" + STEPS,
    "batches by position": "BATCH_SIZE = 32\nx, y = mnist.train.next_batch(«64»)\n" + STEPS,
    "generator by position": "BATCH_SIZE = 32\ng = datagen.flow(x, y, «64»)\n" + STEPS,
    "iterator by position": "BATCH_SIZE = 32\nit = chainer.iterators.SerialIterator(train, «64»)\n" + STEPS,
    "batches of a reader": "BATCH_SIZE = 32\ntrain_reader = paddle.batch(reader, «64»)\n" + STEPS,
    "constant through an argument and a method": "class Config:\n    BATCH = «64»\nclass Data:\n"
    "    def loader(self, size):\n        return DataLoader(self.ds, batch_size=size)\n"
    "def run(size):\n    d = Data()\n    return d.loader(size)\nrun(Config.BATCH)\n",
    "constant through an argument and an object": "class Config:\n    BATCH = «64»\nclass Reader:\n"
    "    def __init__(self, size=16):\n        self.size = size\n"
    "    def loader(self):\n        return DataLoader(self, batch_size=self.size)\n"
    "def run(config):\n    train(Reader(config.BATCH).loader())\nrun(Config())\n",
}
REFUSED = {
    "default of a helper that is called": "batch_size = «64»\ndef helper(x, batch_size=«100»):\n"
    "    return x[:batch_size]\n" + LOOP + "helper(x)\n",
    "default of a training function": "batch_size = «1»\ndef train(x, batch_size=«64»):\n"
    "    for i in range(0, n, batch_size):\n        step(x)\nshow(batch_size)\n",
    "a binding between two calls": "n = «32»\ndef loader():\n    return DataLoader(ds, batch_size=n)\n"
    "first = loader()\nn = «64»\nsecond = loader()\n",
    "own loader by position": "from data import get_loader\nBATCH_SIZE = «32»\n"
    "train_loader = get_loader(ds, «64»)\n" + STEPS,
    "own batches by position": "BATCH_SIZE = «32»\nx = reader.get_batch(«64»)\n" + STEPS,
}


@pytest.mark.parametrize("marked", FOUND.values(), ids=FOUND.keys())
def test_another_binding_leaves_the_size_certain(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_another_number_that_may_be_the_size_is_refused(marked: str) -> None:
    assert_refused(marked)
