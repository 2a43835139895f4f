"""The review of a training script: all rules over one parsed text. Nothing of the script is run. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from supervisor.domain.review import Kind
from supervisor.source.locate import Located
from supervisor.source.review.facts import gather
from supervisor.source.review.finding import Finding, Machine, Review, Severity, ordered
from supervisor.source.review.ignoring import silence
from supervisor.source.review.kind import tell_kind
from supervisor.source.review.rules import CHECKED, RULES
from supervisor.source.review.rules.not_parsed import judge_error, judge_notebook
from supervisor.source.text import SourceText, UnparsableError


def review(script: bytes, *, kind: Kind | None, machine: Machine, args: Sequence[str] = ()) -> Review:
    """Judge a script that will run on `machine` with `args`. Never raises for what the script may hold.

    `kind` is what the caller says that it is; None lets the imports and the handling of data tell.
    """
    notebook = judge_notebook(script)
    if notebook is not None:
        return _unread(kind, notebook)
    try:
        text = SourceText(script)
    except UnparsableError as error:
        return _unread(kind, judge_error(error, script))
    facts = gather(text, machine, tuple(args))
    told, evidence = (kind, ("given",)) if kind is not None else tell_kind(facts)
    facts = replace(facts, kind=told, kind_evidence=evidence)
    findings = [finding for module in CHECKED for finding in module.check(facts)]
    findings = silence(facts, findings, frozenset(rule.id for rule in RULES))
    passed = all(finding.severity is not Severity.ERROR for finding in findings)
    size = int(facts.located.value) if isinstance(facts.located, Located) else None
    return Review(passed, told, evidence, ordered(findings), size)


def _unread(kind: Kind | None, finding: Finding) -> Review:
    return Review(finding.severity is not Severity.ERROR, kind, (), (finding,))
