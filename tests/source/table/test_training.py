"""Training told from the rest: by names, by how loaders are made, by what is done with them."""

import pytest

from tests.source.table.rows import assert_found, assert_none, assert_refused

TOLD = {
    "by the target": "train_loader = DataLoader(a, batch_size=«64»)\n"
    "test_loader = DataLoader(b, batch_size=8)\n",
    "target over data": "n = «64»\ntrain_loader = DataLoader(data, batch_size=n, sampler=s)\n"
    "val_loader = DataLoader(train_data, batch_size=8)\n",
    "by the data": "a = DataLoader(train_ds, batch_size=«64»)\nb = DataLoader(valid_ds, batch_size=8)\n",
    "in one word": "trainloader = DataLoader(a, batch_size=«64»)\nvalloader = DataLoader(b, batch_size=8)\n",
    "by camel case": "trainLoader = DataLoader(a, batch_size=«64»)\n"
    "testLoader = DataLoader(b, batch_size=8)\n",
    "by the size's name": "TRAIN_BS = «64»\nVALID_BS = 8\ntrain = DataLoader(x, batch_size=TRAIN_BS)\n"
    "valid = DataLoader(y, batch_size=VALID_BS)\n",
    "by the function": "def train_dataloader():\n    return DataLoader(x, batch_size=«64»)\n"
    "def val_dataloader():\n    return DataLoader(x, batch_size=8)\n",
    "by the key": "loaders = {'train': DataLoader(x, batch_size=«64»), 'val': DataLoader(y, batch_size=8)}\n",
    "by the entry": "loaders['train'] = DataLoader(x, batch_size=«64»)\n"
    "loaders['test'] = DataLoader(y, batch_size=8)\n",
    "by the attribute": "self.train_dl = DataLoader(x, batch_size=«64»)\n"
    "self.dev_dl = DataLoader(y, batch_size=8)\n",
    "by shuffle": "a = DataLoader(x, batch_size=«64», shuffle=True)\n"
    "b = DataLoader(y, batch_size=8, shuffle=False)\n",
    "by drop_last": "a = DataLoader(x, batch_size=«64», drop_last=True)\n"
    "b = DataLoader(y, batch_size=8, drop_last=False)\n",
    "by the dataset": "a = DataLoader(MNIST('d', train=True), batch_size=«64»)\n"
    "b = DataLoader(MNIST('d', train=False), batch_size=8)\n",
    "by the dataset's making": "d1 = MNIST('d', train=True)\nd2 = MNIST('d', train=False)\n"
    "a = DataLoader(d1, batch_size=«64»)\n"
    "b = DataLoader(d2, batch_size=8)\n",
    "by the loop": "a = DataLoader(x, batch_size=«64»)\nb = DataLoader(y, batch_size=8)\n"
    "for q in a:\n    loss(q).backward()\n    opt.step()\n"
    "with torch.no_grad():\n    for q in b:\n        check(q)\n",
    "both at once": "n = «64»\na = DataLoader(x, n)\nb = DataLoader(y, n)\n",
    "several training loaders": "train_a = DataLoader(x, batch_size=«64»)\n"
    "train_b = DataLoader(y, batch_size=«64»)\nval = DataLoader(z, batch_size=8)\n",
    "evaluation function": "def evaluate(model, data, batch_size=8):\n"
    "    return DataLoader(data, batch_size=batch_size)\n"
    "batch_size = «64»\nfor i in range(0, n, batch_size):\n    step(x[i:i + batch_size])\n",
    "export": "n = «64»\nrun_training(n)\nbatch_size = n\nsummary(model, (3, 9, 9), batch_size=1)\n",
    "dead branch": "n = «64»\nif False:\n    n = 8\ntrain_loader = DataLoader(x, batch_size=n)\n",
    "dead branch by name": "DEBUG = 0\nif DEBUG:\n    train_loader = DataLoader(x, batch_size=8)\n"
    "else:\n    train_loader = DataLoader(x, batch_size=«64»)\n",
    "commented": "# train_loader = DataLoader(x, batch_size=8)\n"
    "train_loader = DataLoader(x, batch_size=«64»)\n",
    "in a string": "'''\ntrain_loader = DataLoader(x, batch_size=8)\n"
    "'''\ntrain_loader = DataLoader(x, batch_size=«64»)\n",
    "tokenizing": "ds = ds.map(f, batched=True, batch_size=1000)\n"
    "train_loader = DataLoader(ds, batch_size=«64»)\n",
    "embedding": "emb = encoder.encode(texts, batch_size=256)\nmodel.fit(emb, y, batch_size=«64»)\n",
    "prediction": "model.fit(x, y, batch_size=«64»)\np = model.predict(t, batch_size=1024)\n",
    "own loader": "from mine import DataLoader\ndata_loader = DataLoader(captions, images)\n"
    "batch_size = «64»\nx = data_loader.get_batch(batch_size, 9)\n",
    "per image": "cfg.SOLVER.IMS_PER_BATCH = «64»\ncfg.MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE = 512\n",
}
REFUSED = {
    "two trainings": "train_a = DataLoader(x, batch_size=«64»)\ntrain_b = DataLoader(y, batch_size=«32»)\n",
    "two loaders without a word": "a = DataLoader(x, batch_size=«64»)\nb = DataLoader(y, batch_size=«32»)\n",
    "on the device": "import torch\nn = «64» if torch.cuda.is_available() else «16»\n"
    "train_loader = DataLoader(x, batch_size=n)\n",
    "by an unknown branch": "if big:\n    n = «64»\nelse:\n    n = «16»\n"
    "train_loader = DataLoader(x, batch_size=n)\n",
    "a table": "SIZES = {'a': 64, 'b': 32}\nbatch_size = «16»\n"
    "train_loader = DataLoader(x, batch_size=SIZES[name])\n",
    "worked out": "BATCH_SIZE = «64»\ntrain_loader = DataLoader(x, batch_size=find_size(BATCH_SIZE))\n",
    "grid": "BATCH_SIZE = «64»\nfor n in (16, 32):\n    train_loader = DataLoader(x, batch_size=n)\n",
    "two names": "BATCH_SIZE = «64»\nbs = «32»\n",
    "overwritten by unknown arguments": "class C:\n    batch_size = «64»\n"
    "if len(extra) > 1:\n    C.batch_size = «8»\n"
    "train_loader = DataLoader(x, batch_size=C.batch_size)\n",
    "settings of a file over options": "p.add_argument('--batch_size', default=«64»)\n"
    "p.set_defaults(**yaml.safe_load(open('c.yaml')))\nargs = p.parse_args()\n"
    "train_loader = DataLoader(d, batch_size=args.batch_size)\n",
    "settings set one by one": "p.add_argument('--bs', default=«64»)\nargs = p.parse_args()\n"
    "for k, v in settings.items():\n    setattr(args, k, v)\n"
    "train_loader = DataLoader(d, batch_size=args.bs)\n",
    "merged file": "c = CN()\nc.batch_size = «64»\n"
    "cfg.merge_from_file('c.yaml')\nc.merge_from_file('c.yaml')\n"
    "train_loader = DataLoader(d, batch_size=c.batch_size)\n",
    "option without a number": "p.add_argument('--batch_size', type=int, default=None)\n"
    "args = p.parse_args()\nrun(args)\n",
    "key that is not known": "SIZES = {'a': «64», 'b': «32»}\n"
    "train_loader = DataLoader(x, batch_size=SIZES[name])\n",
    "read by nothing": "bs = «64»\nmodel.fit(x, y)\n",
}
NONE = {
    "nothing": "x = 1\n",
    "full batch": "for epoch in range(9):\n    loss = model(x)\n    loss.backward()\n",
    "evaluation only": "test_loader = DataLoader(x, batch_size=64)\n",
    "a default of the trainer": "Trainer(model, TrainingArguments('out')).train()\n",
}


@pytest.mark.parametrize("marked", TOLD.values(), ids=TOLD.keys())
def test_the_training_size_is_told_from_the_rest(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", REFUSED.values(), ids=REFUSED.keys())
def test_a_choice_is_refused_with_every_place_named(marked: str) -> None:
    assert_refused(marked)


@pytest.mark.parametrize("script", NONE.values(), ids=NONE.keys())
def test_a_script_without_a_training_size_has_none(script: str) -> None:
    assert_none(script)
