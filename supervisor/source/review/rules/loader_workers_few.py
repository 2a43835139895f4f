"""`loader-workers-few`: enough workers load data while the GPU computes. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import Loader, training_loaders
from supervisor.source.review.rule import Rule
from supervisor.source.review.workers import best_workers, in_words, range_of_workers

RULE = Rule(
    id="loader-workers-few",
    severity=Severity.WARNING,
    summary="too few DataLoader workers",
    looks_for="a training loader with under 8 workers, or under the cores there are (none is PyTorch's "
    "default)",
    fix="pass num_workers of 8 to 12, or of the cores there are",
    why="data that is loaded while the GPU waits is what most idle GPUs wait for",
)


def check(facts: Facts) -> Iterator[Finding]:
    """Every possible value must be too small."""
    cores = facts.machine.cores
    for loader in training_loaders(facts):
        workers = loader.workers()
        if workers.numbers and max(workers.numbers) < range_of_workers(cores)[0]:
            yield loader.finding(
                RULE,
                workers,
                found=f"num_workers={max(workers.numbers)}",
                expected=in_words(cores),
                value=_with_options(loader, f"num_workers={best_workers(cores)}"),
            )


def _with_options(loader: Loader, workers: str) -> str:
    """Where there are none yet, what belongs to them is told along, and by no other rule."""
    if not loader.has_none:
        return workers
    return f"{workers}, {loader.prefix}prefetch_factor=4 and {loader.prefix}persistent_workers=True"
