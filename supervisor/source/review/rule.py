"""A rule of the review: what it is called, what it looks for and why, and the finding that it makes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.lines import Span

Marked = ast.expr | ast.stmt | ast.ExceptHandler | Span | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What is said of a rule. `id` is stable; `severity` is what it finds at worst.

    `looks_for` is what it takes for a fault, `fix` what to do about it, `why` what the fault costs.
    """

    id: str
    severity: Severity
    summary: str
    looks_for: str
    fix: str
    why: str

    def finding(
        self,
        facts: Facts,
        at: Marked,
        *,
        found: str,
        expected: str,
        fix: str | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding that marks `at`; `fix` and `severity` are the rule's own where they are left out."""
        span = at if at is None or isinstance(at, Span) else facts.lines.span(at)
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            line=span.line if span else None,
            found=found,
            expected=expected,
            fix=fix or self.fix,
            why=self.why,
            column=span.column if span else None,
            end_line=span.end_line if span else None,
            end_column=span.end_column if span else None,
        )

    def lacking(self, facts: Facts, expected: str) -> Finding:
        """A finding about the whole script: only for information where it may not train at all."""
        severity = self.severity if facts.trains else Severity.INFO
        return self.finding(facts, None, found=self.summary, expected=expected, severity=severity)


class RuleModule(Protocol):
    """What each module in `rules/` has."""

    RULE: Rule

    def check(self, facts: Facts) -> Iterator[Finding]:
        """The findings of this rule in a script; it never raises for what a script may hold."""
