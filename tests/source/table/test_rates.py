"""The learning rate, found by the same search, and its literal's exact bytes."""

import pytest

from supervisor.source.edit import EditRefused, change, change_args
from supervisor.source.locate import External, Located, Missing, Uncertain, locate_learning_rate
from supervisor.source.numerals import numeral
from tests.source.table.rows import assert_found, plain

ROWS = {
    "keyword": ("optimizer = torch.optim.Adam(model.parameters(), lr=«1e-3»)\n", 1e-3),
    "position": ("optimizer = AdamW(model.parameters(), «3e-4»)\n", 3e-4),
    "constant": ("LR = «0.001»\noptimizer = SGD(net.parameters(), lr=LR, momentum=0.9)\n", 1e-3),
    "argparse": (
        "p.add_argument('--lr', type=float, default=«0.01»)\nargs = p.parse_args()\n"
        "optimizer = SGD(net.parameters(), args.lr)\n",
        0.01,
    ),
    "a string": (
        "p.add_argument('--lr', type=float, default='«1e-4»')\n"
        "args = p.parse_args()\noptimizer = SGD(p, lr=args.lr)\n",
        1e-4,
    ),
    "class": (
        "class CFG:\n    learning_rate = «2e-5»\noptimizer = AdamW(m.parameters(), lr=CFG.learning_rate)\n",
        2e-5,
    ),
    "dict": ("cfg = {'lr': «1e-4»}\noptimizer = AdamW(m.parameters(), lr=cfg['lr'])\n", 1e-4),
    "keras": ("model.compile(optimizer=tf.keras.optimizers.Adam(«1e-3»), loss='mse')\n", 1e-3),
    "keras keyword": ("opt = Adam(learning_rate=«1e-3»)\n", 1e-3),
    "trainer": (
        "args = TrainingArguments('out', learning_rate=«5e-5», per_device_train_batch_size=8)\n",
        5e-5,
    ),
    "optax": ("lr = «1e-3»\ntx = optax.adam(lr)\n", 1e-3),
    "optax keyword": ("tx = optax.adamw(learning_rate=«1e-3», weight_decay=0.1)\n", 1e-3),
    "tf 1": ("train = tf.train.AdamOptimizer(«0.001»).minimize(loss)\n", 1e-3),
    "by hand": ("learning_rate = «0.1»\nw -= learning_rate * grad\n", 0.1),
    "parameter groups": ("lr = «1e-3»\nopt = SGD([{'params': a, 'lr': lr}, {'params': b}], lr=lr)\n", 1e-3),
    "whole number": ("opt = SGD(params, lr=«1»)\n", 1.0),
    "arithmetic": ("lr = «0.1 / 4»\nopt = SGD(params, lr=lr)\n", 0.025),
    "power": ("lr = «10 ** -3»\nopt = SGD(params, lr=lr)\n", 1e-3),
    "scaled by the batch": (
        "base_lr = «0.1»\nlr = base_lr * batch_size / 256\nbatch_size = 64\nopt = SGD(params, lr=lr)\n",
        0.1,
    ),
    "of two optimizers": ("g = Adam(G.parameters(), lr=«2e-4»)\nd = Adam(D.parameters(), lr=«2e-4»)\n", 2e-4),
    "lightning": (
        "class M(LightningModule):\n    def __init__(self, lr=«1e-3»):\n        self.lr = lr\n"
        "    def configure_optimizers(self):\n        return Adam(self.parameters(), lr=self.lr)\nM()\n",
        1e-3,
    ),
    "dataclass": ("@dataclass\nclass C:\n    lr: float = «1e-3»\nc = C()\nopt = Adam(p, lr=c.lr)\n", 1e-3),
    "schedulers beside": ("lr = «1e-3»\nopt = Adam(p, lr=lr)\nsched = OneCycleLR(opt, max_lr=0.01)\n", 1e-3),
}


@pytest.mark.parametrize(("marked", "value"), ROWS.values(), ids=ROWS.keys())
def test_the_learning_rate_is_found(marked: str, value: float) -> None:
    assert_found(marked, value, rate=True)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("x = 1\n", Missing),
        ("g = Adam(G.parameters(), lr=2e-4)\nd = Adam(D.parameters(), lr=1e-4)\n", Uncertain),
        ("from config import LR\nopt = Adam(p, lr=LR)\n", External),
        ("lr = find()\nopt = Adam(p, lr=lr)\n", Uncertain),
        ("print 'x'\n", Uncertain),
    ],
)
def test_a_learning_rate_that_is_not_certain_is_not_decided(script: str, kind: type) -> None:
    assert isinstance(locate_learning_rate(script.encode()), kind)


@pytest.mark.parametrize(
    ("written", "new", "expected"),
    [
        ("1e-3", 2e-3, "2e-3"),
        ("1e-03", 2e-3, "2e-03"),
        ("1E-3", 2e-3, "2E-3"),
        ("1.0e-3", 2e-3, "2.0e-3"),
        ("0.001", 0.002, "0.002"),
        (".01", 0.02, "0.02"),
        ("3e-4", 4.2426406871e-4, "4.24264e-4"),
        ("0.1", 0.2, "0.2"),
        ("1e-5", 1e-5, "1e-5"),
        ("0.0000001", 0.0000000002, "2e-10"),
        ("1", 2.0, "2.0"),
        ("1e+1", 20.0, "2e+1"),
    ],
)
def test_a_new_rate_is_written_as_the_old_one_was(written: str, new: float, expected: str) -> None:
    source = f"opt = SGD(params, lr={written})  # note\n".encode()
    located = locate_learning_rate(source)

    assert isinstance(located, Located)
    assert change(source, located, new) == f"opt = SGD(params, lr={expected})  # note\n".encode()


def test_several_rates_change_together() -> None:
    source = plain(ROWS["of two optimizers"][0])
    located = locate_learning_rate(source)

    assert isinstance(located, Located)
    assert change(source, located, 4e-4) == source.replace(b"2e-4", b"4e-4")


def test_an_argument_s_rate_is_changed_there() -> None:
    source = plain(ROWS["argparse"][0])
    located = locate_learning_rate(source, ["--lr", "5e-4"])

    assert isinstance(located, Located)
    assert located.value == 5e-4
    assert change_args(["--lr", "5e-4"], located, 1e-3) == ("--lr", "1e-3")


@pytest.mark.parametrize("rate", [0.0, -1.0, 1000.0])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    source = b"opt = SGD(params, lr=0.1)\n"
    located = locate_learning_rate(source)

    assert isinstance(located, Located)
    with pytest.raises(EditRefused, match="not a learning rate"):
        change(source, located, rate)


def test_numbers_are_written_to_six_digits() -> None:
    assert numeral(0.123456, "0.1") == "0.123456"
    assert numeral(64, "32") == "64"
