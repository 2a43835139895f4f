"""`loader-workers-many`: no more workers than cores. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule
from supervisor.source.review.workers import best_workers, in_words, range_of_workers

RULE = Rule(
    id="loader-workers-many",
    severity=Severity.WARNING,
    summary="too many DataLoader workers",
    looks_for="a training loader with over 12 workers, or over the cores there are",
    fix="pass num_workers of 8 to 12, or of the cores there are",
    why="workers beyond the cores take time from each other, and each holds its own copy of the dataset",
)


def check(facts: Facts) -> Iterator[Finding]:
    """Every possible value must be too large."""
    cores = facts.machine.cores
    for loader in training_loaders(facts):
        workers = loader.workers()
        if workers.numbers and min(workers.numbers) > range_of_workers(cores)[1]:
            yield loader.finding(
                RULE,
                workers,
                found=f"num_workers={min(workers.numbers)}",
                expected=in_words(cores),
                value=f"num_workers={best_workers(cores)}",
            )
