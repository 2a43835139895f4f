"""Several sizes of one number: only what training takes is changed, and a doubt is refused."""

import pytest

from tests.source.table.rows import assert_found, assert_refused

TAKEN = {
    "a generator that nothing reads": "N = 64\ntrain_gen = gen.flow_from_directory('d', batch_size=N)\n"
    "model.fit(x, y, batch_size=«64»)\n",
    "a generator of another size": "N = 8\ntrain_gen = gen.flow_from_directory('d', batch_size=N)\n"
    "model.fit(x, y, batch_size=«64»)\n",
    "a generator that is only evaluated": "N = 64\ntrain_gen = gen.flow(x, y, batch_size=N)\n"
    "model.fit(x, y, batch_size=«64»)\nmodel.evaluate(train_gen)\n",
    "a loader that nothing reads": "N = 64\ntrain_loader = DataLoader(a, batch_size=«64»)\n"
    "old_train_loader = DataLoader(a, batch_size=N)\nfor x in train_loader:\n    loss(x).backward()\n",
    "two generators without a word": "N = 64\na = gen.flow(x, y, batch_size=«64»)\n"
    "b = gen.flow(u, v, batch_size=N)\nmodel.fit(a)\nmodel.evaluate(b)\n",
    "a generator that validates": "a = gen.flow_from_directory('t', batch_size=«64»)\n"
    "b = gen.flow_from_directory('v', batch_size=64)\nmodel.fit_generator(a, validation_data=b)\n",
    "a generator and arrays": "N = «64»\ntrain_gen = gen.flow_from_directory('d', batch_size=N)\n"
    "model.fit(train_gen)\nhead.fit(f, y, batch_size=«64»)\n",
    "loaders that nothing in the script reads": "train_a = DataLoader(a, batch_size=«64»)\n"
    "train_b = DataLoader(b, batch_size=«64»)\n",
}
REFUSED = {
    "fit of a generator that has a size": "N = «64»\ntrain_gen = gen.flow(x, y, batch_size=N)\n"
    "model.fit(train_gen, batch_size=«64»)\n",
    "fit of batches": "train_ds = ds.batch(«64»)\nmodel.fit(x=train_ds, batch_size=«64»)\n",
    "a generator that goes elsewhere": "N = «64»\ntrain_gen = gen.flow(x, y, batch_size=N)\n"
    "model.fit(x, y, batch_size=«64»)\nfurther(train_gen)\n",
    "a generator of an object": "N = «64»\nself.train_gen = gen.flow(x, y, batch_size=N)\n"
    "model.fit(x, y, batch_size=«64»)\n",
}


@pytest.mark.parametrize("marked", TAKEN.values(), ids=TAKEN.keys())
def test_only_what_training_takes_is_changed(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_a_doubt_about_what_training_takes_is_refused(marked: str) -> None:
    assert_refused(marked)
