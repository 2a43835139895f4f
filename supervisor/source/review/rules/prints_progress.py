"""`prints-progress`: the script says how far it is. Pure."""

from collections.abc import Iterator

from supervisor.output.records import Progress
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="prints-progress",
    severity=Severity.WARNING,
    summary="no line of progress",
    looks_for="no string that makes `Epoch 1/10` or `Fold 1/5`, and no library that shows progress by itself",
    fix='print(f"Fold {fold}/{folds}, Epoch {epoch}/{epochs}, Loss: {loss:.3f}") after each epoch',
    why="without it nobody can tell how long the run will still take, nor that training has begun",
)
# These print progress by themselves, each in a way of its own.
_SHOW = ("tqdm", "trange", "track", "fit", "Trainer", "Seq2SeqTrainer", "SFTTrainer", "train_model", "YOLO")


def check(facts: Facts) -> Iterator[Finding]:
    """A warning where the script trains with a library that is known, else only for information."""
    if Progress not in facts.printed and facts.called(_SHOW) is None:
        yield RULE.lacking(facts, "a printed line such as in the fix")
