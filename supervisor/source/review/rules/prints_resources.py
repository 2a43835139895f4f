"""`prints-resources`: the script says with what it trains. Pure."""

from collections.abc import Iterator

from supervisor.output.records import Resources
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="prints-resources",
    severity=Severity.WARNING,
    summary="no line of the resources",
    looks_for="no string that makes a `RESOURCES:` line",
    fix='print(f"RESOURCES: {os.cpu_count()} CPU cores, batch={BATCH_SIZE}, GPU={name}, '
    'Mixed Precision=ON", flush=True) before training',
    why="the log then says with what a run was made",
)


def check(facts: Facts) -> Iterator[Finding]:
    """A warning where the script trains with a library that is known, else only for information."""
    if Resources not in facts.printed:
        yield RULE.lacking(facts, "a printed line such as in the fix")
