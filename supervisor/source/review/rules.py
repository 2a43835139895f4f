"""The review of a training script: all rules over one parsed text. Nothing of the script is run. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from supervisor.domain.review import Kind
from supervisor.source.locate import Located, locate_in
from supervisor.source.review.batch_size import judge_batch_size
from supervisor.source.review.facts import gather
from supervisor.source.review.finding import Finding, Machine, Review, Severity, ordered
from supervisor.source.review.kind import tell_kind
from supervisor.source.review.loaders import judge_loaders
from supervisor.source.review.output import judge_output
from supervisor.source.review.precision import judge_precision
from supervisor.source.review.saving import judge_saving
from supervisor.source.text import SourceText, UnparsableError

_FAMILIES = (judge_loaders, judge_precision, judge_output, judge_saving)


def review(script: bytes, *, kind: Kind | None, machine: Machine, args: Sequence[str] = ()) -> Review:
    """Judge a script that will run on `machine` with `args`. Never raises for what the script may hold.

    `kind` is what the caller says that it is; None lets the imports and the handling of data tell.
    """
    try:
        text = SourceText(script)
    except UnparsableError as error:
        finding = _not_parsed(error)
        return Review(finding.severity is not Severity.ERROR, kind, (), (finding,))
    facts = gather(text, machine, tuple(args))
    told, evidence = (kind, ("given",)) if kind is not None else tell_kind(facts)
    facts = replace(facts, kind=told)
    located = locate_in(text, facts.found, args)
    findings = list(judge_batch_size(facts, located))
    for family in _FAMILIES:
        findings += family(facts)
    passed = all(finding.severity is not Severity.ERROR for finding in findings)
    size = int(located.value) if isinstance(located, Located) else None
    return Review(passed, told, evidence, ordered(findings), size)


def _not_parsed(error: UnparsableError) -> Finding:
    """An error where it is no Python; a warning where it is too long or too deep to be read here."""
    broken = isinstance(error.__cause__, SyntaxError | ValueError)
    return Finding(
        rule="not-parsed",
        severity=Severity.ERROR if broken else Severity.WARNING,
        line=error.line,
        found=str(error),
        expected="a Python script that can be read",
        fix="mend the line that is named" if error.line else "give the training script, saved as UTF-8",
        why="a script that cannot be read can neither be reviewed nor have its batch size corrected",
    )
