"""`prints-memory`: the script says how much of the GPU's memory it uses. Pure."""

from collections.abc import Iterator

from supervisor.output.records import MemoryUsed
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="prints-memory",
    severity=Severity.WARNING,
    summary="no line of the GPU memory in use",
    looks_for="no string that makes a `GPU Memory Used:` line",
    fix='print(f"GPU Memory Used: {used:.1f} GB / {total:.1f} GB ({used / total:.1%})") after the second '
    "step, with used = torch.cuda.max_memory_reserved() / 2**30",
    why="the checkpoint compares this figure with the device's own: two sources instead of one",
)


def check(facts: Facts) -> Iterator[Finding]:
    """A warning where the script trains with a library that is known, else only for information."""
    if MemoryUsed not in facts.printed:
        yield RULE.lacking(facts, "a printed line such as in the fix")
