"""What a batch size is handed to: loaders, datasets, trainers, `fit`, and loops written by hand."""

import pytest

from tests.source.table.rows import assert_found

TORCH = {
    "dotted": "import torch\nx = torch.utils.data.DataLoader(ds, batch_size=«64»)\n",
    "position": "from torch.utils.data import DataLoader\nx = DataLoader(ds, «64»)\n",
    "dotted position": "import torch\nx = torch.utils.data.DataLoader(ds, «64», True)\n",
    "module alias": "import torch.utils.data as data\nN = «64»\n"
    "x = data.DataLoader(train_set, N, shuffle=True)\n",
    "another name": "from torch.utils.data import DataLoader as DL\n"
    "BATCH_SIZE = «64»\nx = DL(ds, batch_size=BATCH_SIZE)\n",
    "subclass": "from torch.utils.data import DataLoader\nclass FastDataLoader(DataLoader):\n    pass\n"
    "x = FastDataLoader(train_ds, batch_size=«64»)\n",
    "batch sampler": "s = BatchSampler(RandomSampler(ds), «64», drop_last=True)\n"
    "x = DataLoader(ds, batch_sampler=s)\n",
    "distributed sampler": "sampler = DistributedSampler(ds, num_replicas=8)\nN = «64»\n"
    "x = DataLoader(ds, batch_size=N, sampler=sampler)\n",
    "geometric": "from torch_geometric.loader import NeighborLoader\n"
    "x = NeighborLoader(data, num_neighbors=[10, 10], batch_size=«64», shuffle=True)\n",
    "geometric position": "from torch_geometric.loader import DataLoader\n"
    "x = DataLoader(train_set, «64», shuffle=True)\n",
    "monai": "from monai.data import DataLoader\nx = DataLoader(train_ds, batch_size=«64», num_workers=4)\n",
    "timm": "from timm.data import create_loader\n"
    "loader_train = create_loader(ds, input_size=224, batch_size=«64»)\n",
    "dict of loaders": 'B = «64»\nd = {k: DataLoader(sets[k], batch_size=B) for k in ("train", "val")}\n',
    "options spread": "kwargs = {'batch_size': «64»}\nmore = {'num_workers': 2}\nkwargs.update(more)\n"
    "train_loader = DataLoader(train, **kwargs)\n",
    "dataclass spread": "opts = dict(batch_size=«64», shuffle=True)\nx = DataLoader(train, **opts)\n",
    "lightning module": "class Data(LightningDataModule):\n    def __init__(self, batch_size: int = «64»):\n"
    "        super().__init__()\n        self.batch_size = batch_size\n    def train_dataloader(self):\n"
    "        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)\n"
    "    def val_dataloader(self):\n        return DataLoader(self.val, batch_size=8)\ndm = Data()\n",
    "lightning hyperparameters": "class Net(LightningModule):\n    def __init__(self, batch_size=8):\n"
    "        self.save_hyperparameters()\n    def train_dataloader(self):\n"
    "        return DataLoader(self.train, batch_size=self.hparams.batch_size)\nnet = Net(batch_size=«64»)\n",
    "gan": "dataloader = DataLoader(ds, batch_size=«64», shuffle=True)\n"
    "for imgs, _ in dataloader:\n    loss.backward()\n",
    "infinite loader": "def cycle(dl):\n    while True:\n        yield from dl\n"
    "dl = cycle(DataLoader(ds, batch_size=«64»))\n",
    "torchtext": "train_iter, test_iter = BucketIterator.splits((a, b), batch_sizes=(«64», 256))\n",
    "pytorch forecasting": "n = «64»\na = training.to_dataloader(train=True, batch_size=n)\n"
    "b = validation.to_dataloader(train=False, batch_size=n * 10)\n",
}
OTHERS = {
    "keras fit": "model.fit(x_train, y_train, batch_size=«64», epochs=3)\n",
    "keras fit by position": "model.fit(x_train, y_train, «64», 10)\n",
    "keras fit by name and position": "bs = «64»\nmodel.fit(X, Y, bs, 10)\n",
    "keras fit with an attribute": "class C:\n    n = «64»\nmodel.fit(X, Y, batch_size=C.n)\n"
    "model.evaluate(X, Y, batch_size=8)\n",
    "keras generator": "g = datagen.flow(x, y, batch_size=«64»)\nmodel.fit_generator(g, epochs=3)\n",
    "flow from directory": 'train_generator = gen.flow_from_directory("train", target_size=(9, 9), batch_size=«64»)\n'  # noqa: E501 - a row
    'val_generator = gen.flow_from_directory("val", batch_size=8)\n',
    "image dataset": 'train_ds = tf.keras.utils.image_dataset_from_directory(d, subset="training", batch_size=«64»)\n'  # noqa: E501 - a row
    'val_ds = tf.keras.utils.image_dataset_from_directory(d, subset="validation", batch_size=8)\n',
    "subsets by keyword": 'a = image_dataset_from_directory(d, subset="training", batch_size=«64»)\n'
    'b = image_dataset_from_directory(d, subset="validation", batch_size=8)\n',
    "tf.data": "train = ds.map(f).shuffle(99).batch(«64», drop_remainder=True).prefetch(2)\n"
    "test = other.batch(8)\n",
    "tf.data padded": "N = «64»\ntrain = ds.padded_batch(N)\n",
    "tf.data of arrays": "train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(«64»)\n"
    "test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(32)\n",
    "trainer": 'args = TrainingArguments("out", per_device_train_batch_size=«64», per_device_eval_batch_size=8)\n',  # noqa: E501 - a row
    "trainer of sequences": "args = Seq2SeqTrainingArguments(output_dir=d, per_device_train_batch_size=«64»)\n",  # noqa: E501 - a row
    "SFT": "trainer = SFTTrainer(model, args=SFTConfig(per_device_train_batch_size=«64», max_seq_length=512))\n",  # noqa: E501 - a row
    "unsloth": "SFTTrainer(model=m, args=TrainingArguments(per_device_train_batch_size = «64», warmup_steps = 5))\n",  # noqa: E501 - a row
    "sentence transformers": "loader = DataLoader(examples, shuffle=True, batch_size=«64»)\n"
    "model.fit(train_objectives=[(loader, loss)])\nmodel.encode(texts, batch_size=256)\n",
    "fastai": "dls = ImageDataLoaders.from_folder(path, valid_pct=0.2, bs=«64»)\n",
    "fastai block": "dls = block.dataloaders(path, bs=«64»)\n",
    "yolo": 'YOLO("yolov8n.pt").train(data="coco.yaml", epochs=3, imgsz=640, batch=«64»)\n',
    "catalyst": 'loaders = {"train": DataLoader(a, batch_size=«64»), "valid": DataLoader(b, batch_size=8)}\n',
    "accelerate": "train_dataloader = DataLoader(tokenized, collate_fn=c, batch_size=«64», shuffle=True)\n"
    "train_dataloader = accelerator.prepare(train_dataloader)\n",
    "slices": "batch_size = «64»\nfor i in range(0, len(x), batch_size):\n"
    "    clf.partial_fit(x[i:i + batch_size], y)\n",
    "steps": "batch_size = «64»\nfor step in range(len(x) // batch_size):\n"
    "    xb = x[step * batch_size:(step + 1) * batch_size]\n",
    "minibatches": "def iterate_minibatches(x, y, n):\n"
    "    for i in range(0, len(x), n):\n        yield x[i:i + n]\n"
    "batch_size = «64»\nfor b in iterate_minibatches(X, Y, batch_size):\n    train(b)\n",
    "minibatches by number": "def minibatches(x, batch_size):\n"
    "    for i in range(0, len(x), batch_size):\n        yield x[i]\n"
    "for b in minibatches(x_train, «64»):\n    step(b)\nfor b in minibatches(x_val, 500):\n    check(b)\n",
    "random batches": "batch_size = «64»\nblock_size = 8\ndef get_batch(split):\n"
    "    ix = torch.randint(len(data) - block_size, (batch_size,))\n    return data[ix]\n",
    "choice": "BATCH = «64»\nidx = np.random.choice(len(x), BATCH)\n",
    "jax": "BATCH_SIZE = «64»\n"
    "perms = jax.random.permutation(rng, n)[: steps * BATCH_SIZE].reshape((steps, BATCH_SIZE))\n",
    "flax": "def train_epoch(state, ds, batch_size, rng):\n    steps = len(ds) // batch_size\n"
    "train_epoch(state, train_ds, «64», rng)\n",
    "replay": "BATCH_SIZE = «64»\nif len(memory) > BATCH_SIZE:\n    sample = memory.sample(BATCH_SIZE)\n",
    "mlp": "clf = MLPClassifier(hidden_layer_sizes=(10,), batch_size=«64»)\nclf.fit(x, y)\n",
    "stable baselines": 'model = PPO("MlpPolicy", env, n_steps=128, batch_size=«64»)\nmodel.learn(1000)\n',
    "imported loaders": "from loaders import get_loaders\nbatch_size = «64»\n"
    "a, b = get_loaders(root, batch_size)\n",
    "imported loaders by keyword": "from loaders import get_loaders\n"
    "a, b = get_loaders(root, batch_size=«64»)\n",
    "spacy": "for batch in minibatch(train_data, size=«64»):\n    nlp.update(batch)\n",
    "lite loader": "B, T = «64», 1024\ntrain_loader = DataLoaderLite(B=B, T=T)\n",
    "mxnet": "train_data = gluon.data.DataLoader(ds, batch_size=«64», shuffle=True)\n",
    "paddle": "import paddle\nloader = paddle.io.DataLoader(ds, batch_size=«64», shuffle=True)\n",
}


@pytest.mark.parametrize("marked", TORCH.values(), ids=TORCH.keys())
def test_what_pytorch_is_given_is_found(marked: str) -> None:
    assert_found(marked, 64)


@pytest.mark.parametrize("marked", OTHERS.values(), ids=OTHERS.keys())
def test_what_others_are_given_is_found(marked: str) -> None:
    assert_found(marked, 64)
