"""Sizes in a model's shape, which are never those of training."""

import pytest

from tests.source.table.rows import assert_found, assert_none, assert_refused

BESIDE = {
    "input": "x = Input(shape=(3,), batch_size=8)\nmodel.fit(a, b, batch_size=«64»)\n",
    "input layer": "m.add(InputLayer(input_shape=(3,), batch_size=8))\nm.fit(a, b, batch_size=«64»)\n",
    "batch shape": "m.add(LSTM(9, batch_input_shape=(8, 3, 1), stateful=True))\n"
    "m.fit(a, b, batch_size=«64»)\n",
    "one constant": "N = «64»\nm.add(LSTM(9, batch_input_shape=(N, 3, 1), stateful=True))\n"
    "m.fit(a, b, batch_size=N)\n",
    "one constant by its name": "batch_size = «64»\nx = Input(shape=(3,), batch_size=batch_size)\n"
    "for i in range(0, n, batch_size):\n    m.train_on_batch(a[i : i + batch_size])\n",
}
REFUSED = {
    "constant that only a shape reads": "BATCH_SIZE = «8»\n"
    "x = Input(shape=(3,), batch_size=BATCH_SIZE)\nModel(x, y).fit(a, b)\n",
    "constant in a tuple": "batch_size = «8»\nm.add(GRU(9, batch_input_shape=(batch_size, 3, 1)))\n"
    "m.fit(a, b)\n",
    "option that only a shape reads": "p.add_argument('--batch-size', default=«8»)\nargs = p.parse_args()\n"
    "x = Input(shape=(3,), batch_size=args.batch_size)\nModel(x, y).fit(a, b)\n",
    "argument of what makes the model": "def build(batch_size):\n"
    "    return Input(shape=(3,), batch_size=batch_size)\nbuild(«8»)\nm.fit(x, y)\n",
    "the same number twice": "m.add(LSTM(9, batch_input_shape=(«64», 3, 1), stateful=True))\n"
    "m.fit(a, b, batch_size=«64»)\n",
}
NONE = {
    "input alone": "x = tf.keras.Input(shape=(3,), batch_size=8)\nModel(x, y).fit(a, b)\n",
    "batch shape alone": "x = Input(batch_shape=(8, 3))\nModel(x, y).fit(a, b)\n",
}


@pytest.mark.parametrize("marked", BESIDE.values(), ids=BESIDE.keys())
def test_a_shape_beside_the_training_size_changes_no_answer(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_a_size_that_a_shape_holds_to_is_refused(marked: str) -> None:
    assert_refused(marked)


@pytest.mark.parametrize("script", NONE.values(), ids=NONE.keys())
def test_a_shape_alone_is_no_training_size(script: str) -> None:
    assert_none(script)
