"""Each form in which a batch size may be written, and the literal that is found for it."""

import pytest

from supervisor.source.locate import Located, locate_batch_size

USED = "\nloader = DataLoader(train_ds, batch_size={})\n"

# The marks « and » stand around the literal that must be found.
FORMS = {
    "constant": "BATCH_SIZE = «64»",
    "annotated constant": "BATCH_SIZE: int = «64»",
    "lower case": "batch_size = «64»",
    "BATCH": "BATCH = «64»",
    "bs": "bs = «64»",
    "train prefix": "TRAIN_BATCH_SIZE = «64»\nVAL_BATCH_SIZE = 128",
    "camel case": "batchSize = «64»",
    "tuple": "BATCH, LR = «64», 1e-3",
    "nested tuple": "(BATCH, LR), SEED = («64», 1e-3), 7",
    "chained": "BATCH_SIZE = batch_size = «64»",
    "arithmetic": "BATCH_SIZE = «32 * 2»",
    "arithmetic in brackets": "BATCH_SIZE = («2 ** 6»)",
    "shift": "BATCH_SIZE = «1 << 6»",
    "floor division": "BATCH_SIZE = «128 // 2»",
    "hexadecimal": "BATCH_SIZE = «0x40»",
    "environ get": 'import os\nBATCH_SIZE = int(os.environ.get("BATCH_SIZE", «64»))',
    "environ get of a string": 'import os\nBATCH_SIZE = int(os.environ.get("BATCH_SIZE", "«64»"))',
    "getenv": "import os\nBATCH_SIZE = int(os.getenv('BATCH_SIZE', '«64»'))",
    "getenv by keyword": "import os\nBATCH_SIZE = int(os.getenv('BATCH_SIZE', default='«64»'))",
    "class attribute": "class CFG:\n    batch_size = «64»" + USED.format("CFG.batch_size"),
    "class attribute beside another": "class CFG:\n    batch_size = «64»\nclass Val:\n    batch_size = 8"
    + USED.format("CFG.batch_size"),
    "attribute of an instance": "class CFG:\n    batch_size: int = «64»\ncfg = CFG()"
    + USED.format("cfg.batch_size"),
    "dict entry": 'cfg = {"batch_size": «64», "lr": 0.1}' + USED.format('cfg["batch_size"]'),
    "dict entry by get": 'cfg = {"batch_size": «64»}' + USED.format('cfg.get("batch_size")'),
    "dict call": "cfg = dict(batch_size=«64»)" + USED.format('cfg["batch_size"]'),
    "dict by purpose": 'cfg = {"train": {"batch_size": «64»}, "val": {"batch_size": 8}}'
    + USED.format('cfg["train"]["batch_size"]'),
    "entry set later": 'cfg = {}\ncfg["batch_size"] = «64»' + USED.format('cfg["batch_size"]'),
    "namespace": "cfg = SimpleNamespace(batch_size=«64»)" + USED.format("cfg.batch_size"),
    "argparse": 'p.add_argument("-b", "--batch-size", type=int, default=«64»)\nargs = p.parse_args()'
    + USED.format("args.batch_size"),
    "argparse with dest": 'p.add_argument("--bs", dest="n", default=«64»)\nargs = p.parse_args()'
    + USED.format("args.n"),
    "argparse beside a class": 'p.add_argument("--batch-size", default=«64»)\nargs = p.parse_args()\n'
    "class CFG:\n    batch_size = 8" + USED.format("args.batch_size"),
    "argparse unused": 'p.add_argument("--bs", default=«64»)\np.add_argument("--val-bs", default=8)',
    "click": '@click.option("--batch-size", default=«64»)\ndef main(batch_size):\n    pass',
    "click used": '@click.option("--batch-size", default=«64»)\ndef main(batch_size):\n    return 1',
    "typer": "def main(batch_size: int = typer.Option(«64»)):\n    DataLoader(ds, batch_size=batch_size)",
    "dataclass": "@dataclass\nclass Config:\n    batch_size: int = «64»\ncfg = Config()"
    + USED.format("cfg.batch_size"),
    "dataclass given another": "@dataclass\nclass C:\n    batch_size: int = 8\ncfg = C(batch_size=«64»)"
    + USED.format("cfg.batch_size"),
    "field": "@dataclass\nclass Config:\n    batch_size: int = field(default=«64»)",
    "function default": "def train(ds, n=«64»):\n    return DataLoader(ds, batch_size=n)\ntrain(1)",
    "keyword-only default": "def train(ds, *, n=«64»):\n    return DataLoader(ds, batch_size=n)",
    "parameter by position": "def make(ds, n):\n    return DataLoader(ds, batch_size=n)\nmake(ds, «64»)",
    "parameter by keyword": "def make(ds, n=8):\n    return DataLoader(ds, batch_size=n)\nmake(ds, n=«64»)",
    "method": "class T:\n    def __init__(self, batch_size=«64»):\n        self.batch_size = batch_size\n"
    "    def train_dataloader(self):\n        return DataLoader(self.ds, batch_size=self.batch_size)\nT()",
    "keyword": "loader = torch.utils.data.DataLoader(ds, batch_size=«64»)",
    "position": "loader = DataLoader(ds, «64», shuffle=True)",
    "options by stars": 'options = {"batch_size": «64»}\nloader = DataLoader(ds, **options)',
    "fit": "model.fit(x, y, batch_size=«64»)\nmodel.predict(x, batch_size=512)",
    "trainer": "TrainingArguments(per_device_train_batch_size=«64», per_device_eval_batch_size=8)",
    "tf.data": "train = ds.shuffle(9).batch(«64»)",
    "any name that the loader uses": "N = «64»" + USED.format("N"),
    "through another name": "N = «64»\nM = N" + USED.format("int(M)"),
    "main guard": 'if __name__ == "__main__":\n    BATCH_SIZE = «64»',
    "global": "N = 0\ndef main():\n    global N\n    N = 64\n" + "BATCH_SIZE = «64»",
    "last of two": "BATCH_SIZE = 32\nBATCH_SIZE = «64»",
    "local over global": "BS = 8\ndef main():\n    BS = «64»\n    DataLoader(ds, batch_size=BS)",
    "helper for both": "def make(x, n):\n    DataLoader(x, n)\na_train = make(a, «64»)\nb_val = make(b, 8)",
    "inherited": "class A:\n    n = «64»\nclass B(A):\n    def f(self):\n        DataLoader(x, self.n)",
    "walrus": "print(batch_size := «64»)",
}


@pytest.mark.parametrize("marked", FORMS.values(), ids=FORMS.keys())
def test_the_literal_of_each_form_is_found(marked: str) -> None:
    before, literal, after = marked.replace("»", "«").split("«")
    source = (before + literal + after).encode()

    found = locate_batch_size(source)

    assert isinstance(found, Located), found
    (place,) = found.places
    assert (source[: place.start], source[place.start : place.end]) == (before.encode(), literal.encode())
    assert found.value == place.value == 64
    assert place.line == before.count("\n") + 1
    assert found.argument is None


def test_the_answer_says_what_it_rests_on() -> None:
    found = locate_batch_size(b"BATCH_SIZE = 64\nx = DataLoader(ds, batch_size=BATCH_SIZE)\n")

    assert isinstance(found, Located)
    assert found.why == "module constant BATCH_SIZE on line 1, which DataLoader on line 2 is given"
    assert found.places[0].form == "module constant"
    assert found.places[0].name == "BATCH_SIZE"


def test_the_constant_that_the_loader_uses_beats_other_guesses() -> None:
    source = b"bs = 8\nBATCH_SIZE = 64\ncfg = {'batch_size': 16}\nx = DataLoader(ds, batch_size=BATCH_SIZE)\n"

    found = locate_batch_size(source)

    assert isinstance(found, Located)
    assert found.places[0].name == "BATCH_SIZE"


def test_the_training_loader_decides_among_loaders() -> None:
    source = b"train_dl = DataLoader(a, batch_size=64)\nother = DataLoader(b, batch_size=8)\n"

    found = locate_batch_size(source)

    assert isinstance(found, Located)
    assert found.value == 64


def test_bindings_of_every_kind_are_seen_by_the_loader_s_name() -> None:
    source = (
        b"import os.path as p, sys\nN = 64\n(a, *b), c = f()\nx: int\nwith open(p) as f, g():\n    pass\n"
        b"cfg['k'].n, cfg[0], self.y = 1, 2, 3\nfor i, (j, k) in z:\n    pass\nd = {**e, 'w': 1, 2: 3}\n"
        b"h = dict(**d)\nadd_argument(name, default=3)\nasync def t():\n    async for q in r:\n        pass\n"
        b"class Q(B, metaclass=M):\n    pass\nDataLoader(ds, batch_size=N)\n"
    )
    found = locate_batch_size(source)

    assert isinstance(found, Located)
    assert found.places[0].line == 2
