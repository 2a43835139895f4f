"""The training DataLoaders of a script, and what they are given. Pure.

Each DataLoader that is not for evaluation counts by itself, and the arguments of the Hugging Face
Trainer likewise.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from supervisor.source.names import Purpose
from supervisor.source.review.facts import Call, Facts
from supervisor.source.review.finding import Finding
from supervisor.source.review.possible import Value, Values, possible_argument
from supervisor.source.review.purposes import purpose_of_call
from supervisor.source.review.rule import Rule
from supervisor.source.values import keyword

TRAINER_ARGUMENTS = ("TrainingArguments", "Seq2SeqTrainingArguments", "SFTConfig", "DPOConfig")
_POSITIONS = {"num_workers": 5, "pin_memory": 7}
_MOST_LOADERS = 50


@dataclass(frozen=True, slots=True)
class Option:
    """What stands for an option: its possible values, None where they are not known, and where."""

    values: Values | None
    at: ast.expr

    @property
    def numbers(self) -> list[int]:
        """The values where all of them are whole numbers, else none."""
        values = self.values or frozenset()
        found = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
        return found if len(found) == len(values) else []


@dataclass(frozen=True, slots=True)
class Loader:
    """One call to judge. `prefix` stands before the names of its options."""

    facts: Facts
    call: Call
    name: str
    prefix: str = ""

    def option(self, name: str, *, default: Value) -> Option:
        """`default` is what PyTorch takes by itself."""
        position = None if self.prefix else _POSITIONS.get(name)
        values, at = possible_argument(
            self.facts, self.call, self.prefix + name, position=position, default=default
        )
        return Option(values, at)

    def workers(self) -> Option:
        return self.option("num_workers", default=0)

    @property
    def has_none(self) -> bool:
        """Whether it is certain that it has no workers."""
        return self.workers().values == frozenset({0})

    def finding(self, rule: Rule, option: Option, *, found: str, expected: str, value: str) -> Finding:
        """A finding whose fix is to pass `value`."""
        return rule.finding(
            self.facts,
            option.at,
            found=f"{found} in {self.name}",
            expected=expected,
            fix=f"pass {self.prefix}{value} to {self.name}",
        )


def training_loaders(facts: Facts) -> list[Loader]:
    """Those of a script that uses PyTorch, at most 50."""
    return list(islice(_loaders(facts), _MOST_LOADERS)) if facts.on_torch else []


def _loaders(facts: Facts) -> Iterator[Loader]:
    for call in facts.calls("DataLoader"):
        dataset = call.node.args[0] if call.node.args else keyword(call.node, "dataset")
        if purpose_of_call(call, dataset) is not Purpose.EVALUATION:
            yield Loader(facts, call, f"DataLoader on line {call.node.lineno}")
    for name in TRAINER_ARGUMENTS:
        for call in facts.calls(name):
            yield Loader(facts, call, f"{name} on line {call.node.lineno}", "dataloader_")
