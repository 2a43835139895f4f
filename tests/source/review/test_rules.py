"""Every rule has a script that it finds fault with and one that passes it, and is not taken in by traps."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from supervisor.source.review import RULES, Kind, Machine
from supervisor.source.review.rules import CHECKED
from tests.source.review.scripts import GOOD, LOADER, MACHINE, judged, rules, without

DOCUMENT = Path(__file__).parents[3] / "docs" / "review.md"
FOLDER = Path(__file__).parents[3] / "supervisor" / "source" / "review" / "rules"
SMALL_SHM = Machine(cores=16, shm_bytes=64 * 2**20)


@dataclass(frozen=True)
class Example:
    failing: str
    passing: str
    kind: Kind | None = None
    machine: Machine = MACHINE


def loader(workers: str = "8", prefetch: str = "4", persistent: str = "True", pinned: str = "True") -> str:
    options = f"num_workers={workers}, prefetch_factor={prefetch}, persistent_workers={persistent}"
    return LOADER.format(f"{options}, pin_memory={pinned}")


TRAINED = """\
import torch
def train_model(model, loader):
    for epoch in range(10):
        for x, y in loader:
            loss(model(x), y).backward()
def evaluate(model): ...
"""
SIZED = "import torch\nBATCH_SIZE = {}\nx = DataLoader(ds, batch_size=BATCH_SIZE)\n"
EXAMPLES = {
    "not-parsed": Example("x = (\n", "x = ()\n"),
    "batch-size-small": Example(SIZED.format(127), SIZED.format(128), Kind.IMAGE),
    "batch-size-large": Example(SIZED.format(129), SIZED.format(128), Kind.TEXT),
    "batch-size-unclear": Example(SIZED.format("128 if big else 64"), SIZED.format(128)),
    "kind-unknown": Example(SIZED.format(128), "import cv2\n" + SIZED.format(128)),
    "loader-workers-few": Example(loader(workers="2"), loader()),
    "loader-workers-many": Example(loader(workers="32"), loader()),
    "loader-options-without-workers": Example(loader(workers="0"), loader()),
    "loader-prefetch": Example(loader(prefetch="2"), loader(prefetch="3")),
    "loader-persistent": Example(loader(persistent="False"), loader()),
    "loader-pin-memory": Example(loader(pinned="False"), loader()),
    "shared-memory-small": Example(loader(), loader(workers="2"), machine=SMALL_SHM),
    "mixed-precision-missing": Example(without("torch.autocast", put="if True:"), GOOD),
    "learning-rate-fixed": Example(
        f"LR = 1e-3\n{GOOD}\noptimizer = torch.optim.AdamW(model.parameters(), lr=LR)\n",
        f"{GOOD}\noptimizer = torch.optim.AdamW(model.parameters(), lr=1e-5 * BATCH_SIZE)\n",
    ),
    "prints-resources": Example(without("RESOURCES:", put="pass"), GOOD),
    "prints-memory": Example(without("GPU Memory Used", put="pass"), GOOD),
    "prints-progress": Example(without("Fold {fold}", put="pass"), GOOD),
    "models-unsaved": Example(without("torch.save", put="pass"), GOOD),
    "save-before-evaluation": Example(
        TRAINED + "train_model(m, d)\nprint(evaluate(m))\ntorch.save(m.state_dict(), 'm.pt')\n",
        TRAINED + "train_model(m, d)\ntorch.save(m.state_dict(), 'm.pt')\nprint(evaluate(m))\n",
    ),
    "partial-models-unsaved": Example(without("signal.signal(", put="pass"), GOOD),
    "sigterm-not-caught": Example(
        without("signal.signal(", put="pass") + "try:\n    go()\nfinally:\n    torch.save(m, 'p')\n",
        GOOD + "try:\n    go()\nfinally:\n    torch.save(m, 'p')\n",
    ),
    "waits-for-input": Example("name = input('which fold? ')\n", "name = args.name\n"),
    "window-shown": Example(
        "import matplotlib.pyplot as plt\nplt.show()\n",
        "import matplotlib.pyplot as plt\nplt.savefig('a.png')\n",
    ),
    "login-asked": Example(
        "import wandb\nrun = wandb.init(project='p')\n", "import wandb\nrun = wandb.init(mode='offline')\n"
    ),
    "device-overridden": Example(
        "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n",
        "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\n",
    ),
    "ignore-unknown": Example("x = 1  # traind: ignore[workers]\n", "x = 1  # ignore[workers]\n"),
    "ignore-unused": Example(
        "x = 1  # traind: ignore[waits-for-input]\n", "input()  # traind: ignore[waits-for-input]\n"
    ),
}

# What these find is that something is not there, or no code at all.
ABSENT = {"mixed-precision-missing", "models-unsaved", "partial-models-unsaved", "batch-size-unclear"} | {
    *("prints-resources", "prints-memory", "prints-progress", "not-parsed", "ignore-unknown", "ignore-unused")
}


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_each_rule_finds_its_fault_and_passes_the_script_that_is_mended(rule: str) -> None:
    example = EXAMPLES[rule]
    assert rule in rules(judged(example.failing, example.kind, example.machine))
    assert rule not in rules(judged(example.passing, example.kind, example.machine))


@pytest.mark.parametrize("rule", sorted(set(EXAMPLES) - ABSENT))
def test_what_stands_in_dead_code_in_comments_or_in_strings_is_not_found(rule: str) -> None:
    example = EXAMPLES[rule]
    indented = "".join(f"    {line}\n" for line in example.failing.splitlines())
    commented = "".join(f"# {line}\n" for line in example.failing.splitlines())
    text = "x = " + repr(example.failing) + "\n"
    for hidden in (
        f"if False:\n{indented}",
        f"while 0:\n{indented}",
        commented,
        text,
        f"'''{commented}'''\n",
    ):
        assert rule not in rules(judged("import torch\n" + hidden, example.kind, example.machine))


def test_signs_in_dead_code_in_comments_or_in_strings_are_none() -> None:
    signs = without("with torch.autocast", put="if True:").replace("torch.save", "open")
    for sign, rule in {
        "torch.autocast('cuda')": "mixed-precision-missing",
        "torch.save(m, 'p')": "models-unsaved",
        "print('Epoch 1/2')": "prints-progress",
        "print('RESOURCES: 2 CPU cores')": "prints-resources",
    }.items():
        bare = without("Fold {fold}", source=without("RESOURCES:", source=signs, put="pass"), put="pass")
        for hidden in (f"if False:\n    {sign}\n", f"# {sign}\n", f'"""{sign}"""\n'):
            assert rule in rules(judged(bare + hidden))
        assert rule not in rules(judged(bare + sign + "\n"))


def test_every_module_is_a_rule_of_its_name_and_in_the_list() -> None:
    names = {path.stem.replace("_", "-") for path in FOLDER.glob("*.py")} - {"--init--"}
    assert names == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES) == len(CHECKED) + 3


def test_the_document_lists_every_rule_as_it_says_of_itself() -> None:
    cells = [re.split(r" \| ", line.strip("| ")) for line in DOCUMENT.read_text().splitlines()]
    rows = {row[0]: row for row in cells if len(row) == 5 and row[0].startswith("`")}
    written = {
        f"`{rule.id}`": [f"`{rule.id}`", str(rule.severity), rule.looks_for, rule.fix, rule.why]
        for rule in RULES
    }
    assert rows == written
