"""`loader-prefetch`: 3 or 4 batches wait ready for each worker. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="loader-prefetch",
    severity=Severity.WARNING,
    summary="DataLoader prefetches too little or too much",
    looks_for="a training loader with workers whose `prefetch_factor` is not 3 or 4 (PyTorch's own is 2)",
    fix="pass prefetch_factor=4",
    why="batches that wait ready keep the GPU busy over a slow read; many more of them only fill memory",
)
_GOOD = (3, 4)
_BY_DEFAULT = 2


def check(facts: Facts) -> Iterator[Finding]:
    """No possible value may be a good one."""
    for loader in training_loaders(facts):
        prefetch = loader.option("prefetch_factor", default=None)
        if prefetch.values == frozenset({None}):
            shown, numbers = "no prefetch_factor", [_BY_DEFAULT]
        else:
            numbers = prefetch.numbers
            shown = f"prefetch_factor={max(numbers, default=0)}"
        if numbers and not loader.has_none and not any(number in _GOOD for number in numbers):
            yield loader.finding(RULE, prefetch, found=shown, expected="3 to 4", value="prefetch_factor=4")
