"""The two numbers that are searched for: what they are called, how they are written, what to advise."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from supervisor.source.names import RATE_STEMS, SIZE_STEMS, is_batch_size, is_learning_rate
from supervisor.source.values import rate_of, size_of


@dataclass(frozen=True, slots=True)
class Topic:
    """One number: `is_name` tells its names, `value_of` reads its literals,
    and each name has one of the `stems` in it."""

    noun: str
    example: str
    consumer: str
    is_name: Callable[[str], bool]
    value_of: Callable[[ast.expr], int | float | None]
    stems: tuple[str, ...]

    def as_value(self, number: float) -> int | float:
        """A number that was read elsewhere as this topic's literals are read."""
        return float(number) if self.value_of is rate_of else int(number)

    @property
    def hint(self) -> str:
        """What a script can do to make the number certain."""
        return f"keep it in one constant such as {self.example} and give that to {self.consumer}"


BATCH_SIZE = Topic(
    "batch size", "BATCH_SIZE = 64", "the training DataLoader", is_batch_size, size_of, SIZE_STEMS
)
LEARNING_RATE = Topic(
    "learning rate", "LEARNING_RATE = 1e-3", "the optimizer", is_learning_rate, rate_of, RATE_STEMS
)
