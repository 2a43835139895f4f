"""`models-unsaved`: what was trained is saved. Pure."""

from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.saving import saves_anything

RULE = Rule(
    id="models-unsaved",
    severity=Severity.WARNING,
    summary="nothing saves a model",
    looks_for="no call that saves, dumps or exports, no name that speaks of saving or of checkpoints, and "
    "no Trainer that does it by itself",
    fix="save the model after each fold or epoch, such as by torch.save(model.state_dict(), path)",
    why="a model that is only in memory is lost with the process: nothing can be predicted from it "
    "afterwards",
)


def check(facts: Facts) -> Iterator[Finding]:
    """A warning where the script trains with a library that is known, else only for information."""
    if not saves_anything(facts):
        yield RULE.lacking(facts, "models on disk")
