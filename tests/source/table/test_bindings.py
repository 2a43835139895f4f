"""From the use back to the literal: names, classes, dicts, parameters, returns."""

import pytest

from tests.source.table.rows import assert_found

USE = "\ntrain_loader = DataLoader(train_ds, batch_size={}, shuffle=True)\n"

ROWS = {
    "through two names": "A = «64»\nB = A\nC = B" + USE.format("C"),
    "local of main": "def main():\n    n = «64»\n    train_loader = DataLoader(ds, batch_size=n)\nmain()\n",
    "main block": 'if __name__ == "__main__":\n    n = «64»\n'
    "    train_loader = DataLoader(ds, batch_size=n)\n",
    "module read by a function": "N = «64»\ndef loader():\n    return DataLoader(train, batch_size=N)\n",
    "last of two before the use": "n = 8\nn = «64»" + USE.format("n") + "n = 128\n",
    "the one before the use": "n = «64»"
    + USE.format("n")
    + "n = 8\nval_loader = DataLoader(val, batch_size=n)\n",
    "tuple": "n, m = «64», 8" + USE.format("n"),
    "tuple of a function": "def sizes():\n    return «64», 8\nn, m = sizes()" + USE.format("n"),
    "tuple by index": "sizes = («64», 8)" + USE.format("sizes[0]"),
    "tuple of attributes": "class C:\n    a, b = «64», 8" + USE.format("C.a"),
    "chained": "a = b = «64»" + USE.format("b"),
    "walrus": "print(n := «64»)" + USE.format("n"),
    "annotated": "n: int = «64»" + USE.format("n"),
    "class": "class CFG:\n    n = «64»\n    val_n = 8" + USE.format("CFG.n"),
    "class by instance": "class CFG:\n    n = «64»\ncfg = CFG()" + USE.format("cfg.n"),
    "class in a function": "class Config:\n    batch_size = «64»\ndef train(cfg):\n"
    "    train_loader = DataLoader(ds, batch_size=cfg.batch_size)\ntrain(Config())\n",
    "class by another class": "class Data:\n    batch_size = «64»\nclass CFG:\n    data = Data()"
    + USE.format("CFG.data.batch_size"),
    "class in a class": "class CFG:\n    class train:\n        batch_size = «64»\n"
    "    class val:\n        batch_size = 8" + USE.format("CFG.train.batch_size"),
    "inherited": "class Base:\n    batch_size = «64»\nclass CFG(Base):\n    lr = 1\ncfg = CFG()"
    + USE.format("cfg.batch_size"),
    "overridden": "class Base:\n    batch_size = 8\nclass CFG(Base):\n    batch_size = «64»\ncfg = CFG()"
    + USE.format("cfg.batch_size"),
    "init attribute": "class Config:\n    def __init__(self):\n        self.batch_size = «64»\nc = Config()"
    + USE.format("c.batch_size"),
    "init parameter": "class Config:\n    def __init__(self, n=«64»):\n"
    "        self.batch_size = n\nc = Config()" + USE.format("c.batch_size"),
    "init argument": "class Config:\n    def __init__(self, n=8):\n"
    "        self.batch_size = n\nc = Config(«64»)" + USE.format("c.batch_size"),
    "passed to a base": "class A:\n    def __init__(self, n):\n        self.n = n\n"
    "    def run(self):\n        train_loader = DataLoader(ds, batch_size=self.n)\n"
    "class B(A):\n    def __init__(self):\n        super().__init__(«64»)\nB().run()\n",
    "config held by self": "class Config:\n    batch_size = «64»\n"
    "class Trainer:\n    def __init__(self, cfg):\n"
    "        self.cfg = cfg\n    def run(self):\n"
    "        train_loader = DataLoader(ds, batch_size=self.cfg.batch_size)\n"
    "Trainer(Config()).run()\n",
    "property": "class Config:\n    @property\n    def batch_size(self):\n        return «64»\nc = Config()"
    + USE.format("c.batch_size"),
    "dataclass": "@dataclass\nclass Config:\n    batch_size: int = «64»\ncfg = Config()"
    + USE.format("cfg.batch_size"),
    "dataclass field": "@dataclass\nclass Config:\n    batch_size: int = field(default=«64»)\ncfg = Config()"
    + USE.format("cfg.batch_size"),
    "dataclass by keyword": "@dataclass\nclass Config:\n    batch_size: int = 8\n"
    "cfg = Config(batch_size=«64»)" + USE.format("cfg.batch_size"),
    "dataclass by position": "@dataclass\nclass Config:\n    lr: float\n"
    "    batch_size: int = 8\ncfg = Config(0.1, «64»)" + USE.format("cfg.batch_size"),
    "nested dataclass": "@dataclass\nclass Data:\n    batch_size: int = «64»\n@dataclass\nclass Config:\n"
    "    data: Data = field(default_factory=Data)\n    seed: int = 1\nc = Config()"
    + USE.format("c.data.batch_size"),
    "pydantic": "class S(BaseModel):\n    batch_size: int = «64»\ns = S()" + USE.format("s.batch_size"),
    "named tuple": "class S(NamedTuple):\n    batch_size: int = «64»\ns = S()" + USE.format("s.batch_size"),
    "collections.namedtuple": "S = namedtuple('S', ['lr', 'batch_size'])\ns = S(lr=1, batch_size=«64»)"
    + USE.format("s.batch_size"),
    "simple namespace": "c = SimpleNamespace(batch_size=«64»)" + USE.format("c.batch_size"),
    "namespace of a dict": "d = {'batch_size': «64»}\nc = SimpleNamespace(**d)" + USE.format("c.batch_size"),
    "easy dict": "c = EasyDict({'batch_size': «64», 'val': {'batch_size': 8}})" + USE.format("c.batch_size"),
    "config dict": "c = ml_collections.ConfigDict()\nc.batch_size = «64»" + USE.format("c.batch_size"),
    "omegaconf": "c = OmegaConf.create({'train': {'batch_size': «64»}})" + USE.format("c.train.batch_size"),
    "dict": "c = {'batch_size': «64»}" + USE.format("c['batch_size']"),
    "dict by get": "c = {'batch_size': «64»}" + USE.format("c.get('batch_size')"),
    "dict by get with default": "c = {'batch_size': «64»}" + USE.format("c.get('batch_size', 8)"),
    "nested dict": "c = {'train': {'batch_size': «64»}, 'val': {'batch_size': 8}}"
    + USE.format("c['train']['batch_size']"),
    "dict in a class": "class C:\n    data = {'batch_size': «64»}" + USE.format("C.data['batch_size']"),
    "dict call": "c = dict(batch_size=«64»)" + USE.format("c['batch_size']"),
    "dict entry set": "c = {}\nc['batch_size'] = «64»" + USE.format("c['batch_size']"),
    "dict entry replaced": "c = {'batch_size': 8}\nc['batch_size'] = «64»" + USE.format("c['batch_size']"),
    "dict merged": "base = {'batch_size': «64»}\nc = {**base, 'lr': 1}" + USE.format("c['batch_size']"),
    "dict in another": "a = {'n': «64»}\nb = {'opts': a}" + USE.format("b['opts']['n']"),
    "dict of a function": "def config():\n    return {'batch_size': «64»}\nc = config()"
    + USE.format("c['batch_size']"),
    "dict passed": "def run(cfg):\n    train_loader = DataLoader(ds, batch_size=cfg['batch_size'])\n"
    "run({'batch_size': «64»})\n",
    "dict and vars": "c = {'batch_size': «64»}\ndef run(batch_size, lr):\n"
    "    train_loader = DataLoader(ds, batch_size=batch_size)\nrun(**c)\n",
    "wandb config": "import wandb\nwandb.init(config={'batch_size': «64»})\nc = wandb.config"
    + USE.format("c.batch_size"),
    "wandb config at once": "import wandb\nwandb.init(config=dict(batch_size=«64»))"
    + USE.format("wandb.config.batch_size"),
    "parameter by position": "def make(ds, n):\n    return DataLoader(ds, batch_size=n)\n"
    "train_loader = make(a, «64»)\nval_loader = make(b, 8)\n",
    "parameter by keyword": "def make(ds, n=8):\n    return DataLoader(ds, batch_size=n)\n"
    "train_loader = make(a, n=«64»)\n",
    "parameter default": "def make(ds, n=«64»):\n    return DataLoader(ds, batch_size=n)\n"
    "train_loader = make(a)\n",
    "default of a constant": "N = «64»\ndef make(ds, n=N):\n"
    "    return DataLoader(ds, batch_size=n)\ntrain_loader = make(a)\n",
    "parameter of a parameter": "def a(n):\n    return DataLoader(train, batch_size=n)\n"
    "def b(m):\n    return a(m)\nb(«64»)\n",
    "parameter of a method": "class T:\n    def loader(self, n):\n"
    "        return DataLoader(self.train, batch_size=n)\nT().loader(«64»)\n",
    "spawned": "def worker(rank, n):\n    train_loader = DataLoader(ds, batch_size=n)\n"
    "mp.spawn(worker, args=(«64»,), nprocs=2)\n",
    "process": "def worker(n):\n    train_loader = DataLoader(ds, batch_size=n)\n"
    "Process(target=worker, args=(«64»,)).start()\n",
    "partial": "def make(ds, n):\n    return DataLoader(ds, batch_size=n)\nf = partial(make, n=«64»)\n",
    "returned": "def size():\n    return «64»" + USE.format("size()"),
    "global": "n = None\ndef setup():\n    global n\n    n = «64»\nsetup()\n"
    "def run():\n    train_loader = DataLoader(ds, batch_size=n)\n",
    "closure": "def main():\n    n = «64»\n    def loader():\n"
    "        return DataLoader(train, batch_size=n)\n    loader()\nmain()\n",
    "with": "with strategy.scope():\n    n = «64»" + USE.format("n"),
    "loop": "for fold in range(5):\n    n = «64»\n    train_loader = DataLoader(ds, batch_size=n)\n",
    "getattr": "class C:\n    n = «64»" + USE.format("getattr(C, 'n')"),
    "int of it": "n = '«64»'" + USE.format("int(n)"),
    "nothing uses it": "BATCH_SIZE = «64»\nmodel = build()\n",
    "only by name": "from engine import fit\ncfg = {'batch_size': «64», 'val_batch_size': 8}\nfit(cfg)\n",
    "training name among names": "train_bs = «64»\nvalid_bs = 8\nrun(train_bs, valid_bs)\n",
    "by annotation": "@dataclass\nclass C:\n    batch_size: int = «64»\n@dataclass\nclass Other:\n"
    "    batch_size: int = 8\ndef run(cfg: C):\n"
    "    train_loader = DataLoader(a, batch_size=cfg.batch_size)\n",
    "key that is known": "M = 'b0'\nSIZES = {'b0': «64», 'b1': 32}" + USE.format("SIZES[M]"),
    "hydra's store": "@dataclass\nclass C:\n    batch_size: int = «64»\n"
    "ConfigStore.instance().store(name='c', node=C)\n"
    "@hydra.main(config_name='c')\ndef main(cfg):\n"
    "    train_loader = DataLoader(a, batch_size=cfg.batch_size)\n"
    "main()\n",
    "ml_collections": "def get_config():\n    config = ConfigDict()\n"
    "    config.batch_size = «64»\n    return config\n"
    "c = get_config()" + USE.format("c.batch_size"),
    "whole hyperparameters": "class M(LightningModule):\n    def __init__(self, hparams):\n"
    "        self.save_hyperparameters(hparams)\n    def train_dataloader(self):\n"
    "        return DataLoader(self.d, batch_size=self.hparams['batch_size'])\nM({'batch_size': «64»})\n",
    "same literal for both": "n = «64»\ntrain_loader = DataLoader(a, batch_size=n)\n"
    "val_loader = DataLoader(b, batch_size=n)\n",
}


@pytest.mark.parametrize("marked", ROWS.values(), ids=ROWS.keys())
def test_a_size_is_followed_to_its_literal(marked: str) -> None:
    assert_found(marked, 64)
