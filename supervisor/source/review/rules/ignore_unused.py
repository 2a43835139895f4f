"""`ignore-unused`: a comment that silences is needed. Pure."""

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.lines import Span
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="ignore-unused",
    severity=Severity.INFO,
    summary="a comment silences nothing",
    looks_for="`# traind: ignore[rule]` where that rule finds nothing, `ignore-file` below line 20",
    fix="take the name out of the comment",
    why="it would hide a later fault of that kind",
)


def judge(facts: Facts, name: str, at: Span, *, late: bool) -> Finding:
    """The finding of one such name; `late` where it stands too far below the top of the file."""
    return RULE.finding(
        facts,
        at,
        found=f"{name} stands too far below for the whole file"
        if late
        else f"nothing here is found by {name}",
        expected="a comment that silences something",
        fix="move it to the first 20 lines" if late else RULE.fix,
    )
