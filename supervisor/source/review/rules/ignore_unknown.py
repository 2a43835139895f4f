"""`ignore-unknown`: a comment that silences names rules that there are. Pure."""

from difflib import get_close_matches

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.lines import Span
from supervisor.source.review.rule import Rule

RULE = Rule(
    id="ignore-unknown",
    severity=Severity.INFO,
    summary="a comment silences a rule that there is not",
    looks_for="`# traind: ignore` with a name that is no rule's, or without one",
    fix="name a rule: # traind: ignore[rule]",
    why="it silences nothing, and a finding that was meant to be silent is told",
)


def judge(facts: Facts, name: str, at: Span, known: frozenset[str]) -> Finding:
    """The finding of one such name; the fix names the rule that is most like it."""
    like = get_close_matches(name, sorted(known), 1)
    return RULE.finding(
        facts,
        at,
        found=f"no rule is called {name}" if name else "an ignore that names no rule",
        expected="the name of a rule",
        fix=f"write {like[0]}" if like else RULE.fix,
    )
