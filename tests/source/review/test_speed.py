"""A long script costs little more than its parsing, and no shape of one costs far more."""

import ast
import time
from collections.abc import Callable

import pytest

from supervisor.source.review import Machine
from supervisor.source.review.facts import gather
from supervisor.source.review.kind import tell_kind
from supervisor.source.review.lines import Lines
from supervisor.source.review.reviewer import review
from supervisor.source.review.rules import CHECKED
from supervisor.source.review.statements import Statements
from supervisor.source.text import SourceText
from tests.source.review.scripts import GOOD, MACHINE

BLOCK = """
class Block{n}(nn.Module):
    def __init__(self, width={n}, drop=0.1):
        super().__init__()
        self.first = nn.Linear(width, width * 4)
        self.second = nn.Linear(width * 4, width)

    def forward(self, values, mask=None):
        hidden = functional.gelu(self.first(values))
        if mask is not None:
            hidden = hidden * mask.unsqueeze(-1)
        return values + self.second(hidden)


def step{n}(model, batch, optimizer, epoch):
    loss = criterion(model(batch["values"]), batch["labels"])
    loss.backward()
    optimizer.step()
    history["loss"].append(loss.item())
    return {{"loss": loss.item(), "epoch": epoch, "rate": optimizer.param_groups[0]["lr"]}}
"""
LONG = GOOD + "".join(BLOCK.format(n=n) for n in range(10_000 // BLOCK.count("\n")))
SHAPES = {
    "one name bound very often": "import torch\n"
    + "n = n + 1\n" * 20_000
    + "x = DataLoader(d, num_workers=n)\n",
    "very many loaders": "import torch\n" + "x = DataLoader(d, num_workers=n, **o)\n" * 8_000,
    "very many comments": "x = 1  # traind: ignore[prints-memory]\n" * 8_000,
    "one very long line": "x = [" + "input, " * 60_000 + "]\n",
    "one very long string": "x = '''" + "Epoch 1/2 # traind: ignore[a]\n" * 12_000 + "'''\n",
    "functions that call each other": "import torch\n"
    + "".join(f"def save{n}():\n    save{n + 1}()\n" for n in range(8_000)),
    "very many imports": "".join(
        f"from a{n} import b{n} as c{n}, DataLoader as d{n}\n" for n in range(6_000)
    ),
}


def cpu_s(work: Callable[[], object]) -> float:
    """The least CPU time of three goes. The bounds are wide: measuring coverage slows all but the parser."""
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def test_the_rules_over_10000_lines_take_not_much_longer_than_the_parser() -> None:
    text = SourceText(LONG.encode())
    facts = gather(text, MACHINE, ())

    def judge() -> None:
        # What is looked up once is looked up anew.
        again = type(facts)(
            Lines(text.source), facts.located, MACHINE, (), Statements(text.tree), modules=facts.modules
        )
        tell_kind(again)
        for module in CHECKED:
            list(module.check(again))

    assert LONG.count("\n") > 9_900
    assert cpu_s(judge) < 5 * cpu_s(lambda: ast.parse(LONG))


@pytest.mark.parametrize("source", SHAPES.values(), ids=SHAPES.keys())
def test_no_shape_of_a_script_takes_long(source: str) -> None:
    began = time.process_time()
    review(source.encode(), kind=None, machine=Machine(8))
    assert time.process_time() - began < 20
