"""`loader-options-without-workers`: options of workers stand only where there are workers. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule
from supervisor.source.review.workers import best_workers

RULE = Rule(
    id="loader-options-without-workers",
    severity=Severity.ERROR,
    summary="DataLoader options that PyTorch refuses",
    looks_for="`prefetch_factor` or `persistent_workers` in a training loader without workers",
    fix="pass num_workers of 8 to 12, or of the cores there are",
    why="PyTorch refuses such a DataLoader with a ValueError, and the run ends there",
)


def check(facts: Facts) -> Iterator[Finding]:
    """Both must be certain: no workers, and an option that is on."""
    for loader in training_loaders(facts):
        if loader.prefix or not loader.has_none:
            continue
        prefetch, persistent = (
            loader.option("prefetch_factor", default=None),
            loader.option("persistent_workers", default=False),
        )
        if prefetch.values and None not in prefetch.values:
            given, at = "prefetch_factor", prefetch.at
        elif persistent.values == frozenset({True}):
            given, at = "persistent_workers", persistent.at
        else:
            continue
        yield RULE.finding(
            facts,
            at,
            found=f"{given} with num_workers=0 in {loader.name}",
            expected="workers for the options of workers",
            fix=f"pass num_workers={best_workers(facts.machine.cores)}",
        )
