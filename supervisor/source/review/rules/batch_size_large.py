"""`batch-size-large`: a batch of text is not larger than its longest sequence allows. Pure."""

from collections.abc import Iterator

from supervisor.source.locate import Located
from supervisor.source.review.batch_sizes import MOST, RANGES, set_to
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="batch-size-large",
    severity=Severity.WARNING,
    summary="batch size large for text",
    looks_for="text over 128",
    fix="set it to 128, or keep it if the memory bears it",
    why="the memory of text grows with the longest sequence of a batch, so a large one may run out late",
)


def check(facts: Facts) -> Iterator[Finding]:
    """Only where the kind has an upper end and the size is certain."""
    located, kind = facts.located, facts.kind
    if not isinstance(located, Located) or kind not in MOST or located.value <= MOST[kind]:
        return
    yield RULE.finding(
        facts,
        facts.size_span(),
        found=f"batch size {located.value}",
        expected=f"{RANGES[kind]} for {kind}",
        fix=f"{set_to(located, MOST[kind])}, or keep it if the memory bears it",
    )
