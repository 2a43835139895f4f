"""`loader-pin-memory`: batches for the GPU stand in pinned memory. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import training_loaders
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="loader-pin-memory",
    severity=Severity.WARNING,
    summary="DataLoader without pinned memory",
    looks_for="a training loader without `pin_memory=True` (the Trainer's arguments have it by default)",
    fix="pass pin_memory=True, and move batches with non_blocking=True",
    why="only from pinned memory does a copy to the GPU run beside the computing",
)


def check(facts: Facts) -> Iterator[Finding]:
    """It must be certain that it is off."""
    for loader in training_loaders(facts):
        pinned = loader.option("pin_memory", default=bool(loader.prefix))
        if pinned.values is not None and not any(pinned.values):
            yield loader.finding(
                RULE,
                pinned,
                found="no pin_memory",
                expected="True",
                value="pin_memory=True, with batches moved by non_blocking=True,",
            )
