"""`partial-models-unsaved`: a training that is told to end saves the models that it has. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.saving import (
    ending_path,
    saved_at_exit,
    saves_anything,
    saving_names,
    writes_checkpoints,
)
from supervisor.source.review.sigterm import only_ends, sigterm_handler

RULE = Rule(
    id="partial-models-unsaved",
    severity=Severity.WARNING,
    summary="SIGTERM leads to no saving",
    looks_for="no handler of SIGTERM, or one that ends the process while nothing that is left saves; a "
    "library that "
    "writes checkpoints while it trains (Trainer, Lightning, ModelCheckpoint) needs none",
    fix="call signal.signal(signal.SIGTERM, handler) before training, raise in the handler, and save the "
    "models "
    "made so far where it is caught",
    why="when time is short training gets SIGTERM and a few seconds: what is not saved then is lost",
)
_EXPECTED = "a handler that leads to saving the models made so far"


def check(facts: Facts) -> Iterator[Finding]:
    """Like all rules of missing evidence it only warns; an ending that SIGTERM misses is another rule's."""
    if writes_checkpoints(facts):
        return
    saving = saving_names(facts)
    handler, path = sigterm_handler(facts), ending_path(facts, saving)
    severity = RULE.severity if facts.trains else Severity.INFO
    if path is not None or saved_at_exit(facts, saving) is not None:
        return
    if handler is None:
        yield RULE.finding(facts, None, found="no handler of SIGTERM", expected=_EXPECTED, severity=severity)
    elif saves_anything(facts) and only_ends(facts, handler, saving):
        found = "a handler of SIGTERM that ends without saving"
        yield RULE.finding(facts, handler, found=found, expected=_EXPECTED, severity=severity)
