"""`batch-size-unclear`: one number says how large the training batch is. Pure."""

from collections.abc import Iterator

from supervisor.source.locate import Uncertain
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="batch-size-unclear",
    severity=Severity.INFO,
    summary="batch size not certain",
    looks_for="a training batch size that is worked out, or may come from several places",
    fix="keep the size in one constant such as BATCH_SIZE = 128 and give that to the training DataLoader",
    why="a size that is not certain is not corrected when it leaves the GPU unused",
)


def check(facts: Facts) -> Iterator[Finding]:
    """A size that cannot be found can neither be judged nor corrected while the run goes on."""
    if not facts.trains or not isinstance(facts.located, Uncertain):
        return
    yield RULE.finding(
        facts,
        facts.size_span(),
        found=facts.located.reason.partition(";")[0].removesuffix("."),
        expected="one number that the training loader is given",
    )
