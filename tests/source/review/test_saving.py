"""What is saved, when, and whether SIGTERM gets there."""

import pytest

from tests.source.review.scripts import GOOD, judged, only, rules, without

HANDLER = without("signal.signal(", put="pass")


@pytest.mark.parametrize(
    ("handler", "rule"),
    [
        ("lambda *_: sys.exit(1)", "partial-models-unsaved"),
        ("stop", "partial-models-unsaved"),
        ("raising", None),
        ("flagging", None),
        ("telling", None),
        ("signal.default_int_handler", None),
        ("signal.SIG_IGN", "partial-models-unsaved"),
        ("made_elsewhere", None),
    ],
)
def test_a_handler_counts_unless_it_is_seen_to_end_without_saving(handler: str, rule: str | None) -> None:
    source = f"""{HANDLER}
def stop(number, frame):
    print("bye")
    raise SystemExit(1)
def raising(number, frame):
    raise KeyboardInterrupt
def flagging(number, frame):
    global stopped
    stopped = True
def telling(number, frame):
    stop_event.set()
signal.signal(signal.SIGTERM, {handler})
"""
    assert rules(judged(source)) == ([rule] if rule else [])


def test_a_handler_that_exits_is_enough_where_the_exit_saves() -> None:
    source = f"{HANDLER}\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(1))\n"
    assert rules(judged(source + "try:\n    go()\nfinally:\n    torch.save(m, 'p')\n")) == []
    assert rules(judged(source + "import atexit\natexit.register(save_all)\n")) == []


def test_the_fix_raises_what_the_ending_catches() -> None:
    ending = "\ntry:\n    go()\nexcept {}:\n    torch.save(m, 'p')\n"
    interrupt = only(judged(HANDLER + ending.format("KeyboardInterrupt")), "sigterm-not-caught")
    leaving = only(judged(HANDLER + ending.format("SystemExit")), "sigterm-not-caught")
    assert "default_int_handler" in interrupt.fix
    assert "sys.exit(143)" in leaving.fix
    assert "sigterm-not-caught" in rules(judged(HANDLER + "\nimport atexit\natexit.register(save_all)\n"))
    assert "sigterm-not-caught" not in rules(judged(HANDLER + "\nregistry.register(save_all)\n"))


@pytest.mark.parametrize(
    ("source", "lost"),
    [
        ("from transformers import Trainer\nTrainer(m).train()\n", False),
        (
            "from transformers import Trainer\nTrainer(m, A(save_strategy='no')).train()\n",
            True,
        ),
        ("import lightning as L\nL.Trainer(max_epochs=3).fit(m)\n", False),
        ("import lightning as L\nL.Trainer(enable_checkpointing=False).fit(m)\n", True),
        ("import keras\nm.fit(x, callbacks=[keras.callbacks.ModelCheckpoint('m.keras')])\n", False),
        ("from transformers import Trainer\nclass Mine(Trainer): ...\nMine(m).train()\n", False),
        ("import lightning\nimport hydra\nt = hydra.utils.instantiate(cfg.trainer)\nt.fit(m)\n", False),
        ("import torch\nimport hydra\nm = hydra.utils.instantiate(cfg.model)\n", True),
        ("import torch\nclass Trainer: ...\nclass Mine(Trainer): ...\nMine(m).train()\n", True),
        ("import keras\nm.fit(x)\nm.save('m.keras')\n", True),
        ("import torch\nfrom mine import Trainer\nTrainer(m).train()\ntorch.save(m, 'p')\n", True),
    ],
)
def test_a_library_that_writes_checkpoints_needs_no_handler(source: str, *, lost: bool) -> None:
    assert ("partial-models-unsaved" in rules(judged(source))) is lost


FUNCTIONS = """\
import torch
def train_fold(model, loader):
    for epoch in range(10):
        train_one_epoch(model, loader)
def train_one_epoch(model, loader):
    for x, y in loader:
        loss(model(x), y).backward()
def evaluate(model): ...
def keep(model):
    torch.save(model.state_dict(), 'm.pt')
"""


@pytest.mark.parametrize(
    "course",
    [
        "for fold in folds:\n    train_fold(m, d)\n    scores.append(evaluate(m))\n    keep(m)\n",
        "for fold in folds:\n    train_fold(m, d)\n    scores.append(evaluate(m))\ntorch.save(m, 'p')\n",
        "def main():\n    train_fold(m, d)\n    evaluate(m)\n    keep(m)\nmain()\n",
    ],
)
def test_a_save_that_waits_for_the_evaluation_is_found_at_the_save(course: str) -> None:
    finding = only(judged(FUNCTIONS + course), "save-before-evaluation")
    assert finding.found.startswith("evaluate on line ")
    assert finding.line is not None
    assert finding.line > FUNCTIONS.count("\n")


@pytest.mark.parametrize(
    "course",
    [
        "for epoch in range(9):\n    train_one_epoch(m, d)\n    if evaluate(m) > best:\n        keep(m)\n",
        "for epoch in range(9):\n    train_one_epoch(m, d)\n    evaluate(m)\n    keep(m)\n",
        "train_fold(m, d)\nscore = evaluate(m)\nif score > best:\n    keep(m)\n",
        "train_fold(m, d)\nkeep(m)\nevaluate(m)\nkeep(m)\n",
        "evaluate(m)\ntrain_fold(m, d)\nkeep(m)\nevaluate(m)\n",
        "train_fold(m, d)\nm.evaluate(x)\nkeep(m)\n",
        "def late():\n    train_fold(m, d)\n    evaluate(m)\ndef other():\n    keep(m)\nlate()\nother()\n",
    ],
)
def test_other_orders_are_left_alone(course: str) -> None:
    assert "save-before-evaluation" not in rules(judged(FUNCTIONS + course))


def test_a_save_while_training_is_a_save_before_the_evaluation() -> None:
    trains = "        train_one_epoch(model, loader)\n"
    saving = FUNCTIONS.replace(trains, f"{trains}        keep(model)\n")
    assert "save-before-evaluation" not in rules(judged(saving + "train_fold(m, d)\nevaluate(m)\nkeep(m)\n"))


@pytest.mark.parametrize(
    ("lines", "fixed"),
    [
        ("torch.optim.SGD(p, lr=0.1)", True),
        ("torch.optim.SGD(p, 0.1)", True),
        (
            "torch.optim.Adam(p, lr=args.lr)\nq.add_argument('--lr', default=1e-3)\nargs = q.parse_args()",
            True,
        ),
        ("torch.optim.SGD(p, lr=0.1 * BATCH_SIZE / 256)", False),
        ("lr = 0.1\nlr *= BATCH_SIZE / 256\ntorch.optim.SGD(p, lr=lr)", False),
        ("lr = 0.1\nif scale:\n    lr = lr * BATCH_SIZE\ntorch.optim.SGD(p, lr=lr)", False),
        ("torch.optim.SGD(p, lr=find_rate())", False),
        ("o = torch.optim.SGD(p, lr=0.1)\nfor g in o.param_groups:\n    g['lr'] *= BATCH_SIZE / 128", False),
        ("torch.optim.SGD(p, **options)", False),
        ("if False:\n    torch.optim.SGD(p, lr=0.1)", False),
    ],
)
def test_a_rate_is_fixed_where_it_can_be_nothing_but_a_written_number(lines: str, *, fixed: bool) -> None:
    assert ("learning-rate-fixed" in rules(judged(f"{GOOD}\n{lines}\n"))) is fixed


def test_without_a_certain_batch_size_no_rate_has_anything_to_follow() -> None:
    source = f"{GOOD}\ntorch.optim.SGD(p, lr=0.1)\n".replace("BATCH_SIZE = 128", "BATCH_SIZE = pick()")
    assert "learning-rate-fixed" not in rules(judged(source))
