"""`kind-unknown`: it is clear what the script learns from. Pure."""

from collections.abc import Iterator

from supervisor.source.locate import Located
from supervisor.source.review.batch_sizes import RANGES
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="kind-unknown",
    severity=Severity.INFO,
    summary="kind of data not clear",
    looks_for="no sign of images, tables or text, or signs that contradict each other, beside a certain "
    "batch size",
    fix="say the kind: image, tabular or text",
    why="how large a batch should be depends on what it is made of",
)


def check(facts: Facts) -> Iterator[Finding]:
    """The range depends on the kind: without one the size is only named, and what speaks for each kind."""
    located = facts.located
    if facts.kind is not None or not facts.trains or not isinstance(located, Located):
        return
    signs = "; ".join(facts.kind_evidence)
    unclear = f"no clear sign of its kind ({signs})" if signs else "no sign of images, tables or text"
    yield RULE.finding(
        facts,
        facts.size_span(),
        found=f"batch size {located.value}, and {unclear}",
        expected="; ".join(f"{kind}: {text}" for kind, text in RANGES.items()),
    )
