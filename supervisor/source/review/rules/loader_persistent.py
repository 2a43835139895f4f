"""`loader-persistent`: workers stay from epoch to epoch. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="loader-persistent",
    severity=Severity.WARNING,
    summary="DataLoader workers start again at each epoch",
    looks_for="a training loader with workers and without `persistent_workers=True`",
    fix="pass persistent_workers=True",
    why="without it all workers end and start again at each epoch, while the GPU waits",
)


def check(facts: Facts) -> Iterator[Finding]:
    """It must be certain that it is off."""
    for loader in training_loaders(facts):
        persistent = loader.option("persistent_workers", default=False)
        off = persistent.values is not None and not any(persistent.values)
        if off and not loader.has_none:
            yield loader.finding(
                RULE,
                persistent,
                found="no persistent_workers",
                expected="True",
                value="persistent_workers=True",
            )
