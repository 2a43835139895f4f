"""What the formats of files beside the script share: a number with its place, and why there is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LARGEST = 10**9
MAX_BYTES = 1024 * 1024
# The parser is written in Python and takes seconds for as much.
MAX_YAML_BYTES = 64 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")


class NotThereError(Exception):
    """The number is not there or cannot be changed; the message says why, as the rest of a sentence."""


@dataclass(frozen=True, slots=True)
class Number:
    """Digits at `data[start:end]`, on `line` (from 1), that read `value`."""

    line: int
    start: int
    end: int
    value: int


def dotted(keys: Sequence[str]) -> str:
    """Keys as they are told: `train.batch_size`."""
    return ".".join(keys)


def line_of(data: bytes, at: int) -> int:
    """The line, from 1, on which a byte stands."""
    return 1 + sum(1 for _ in _LINE_END.finditer(data[:at]))
