"""`sigterm-not-caught`: SIGTERM reaches the code that saves at an end. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.saving import ending_path, saved_at_exit, saving_names, writes_checkpoints
from supervisor.source.review.sigterm import sigterm_handler

_INTERRUPTS = "call signal.signal(signal.SIGTERM, signal.default_int_handler) before training"
_EXITS = "call signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) before training"
RULE = Rule(
    id="sigterm-not-caught",
    severity=Severity.INFO,
    summary="an ending that saves, which SIGTERM does not reach",
    looks_for="`except KeyboardInterrupt`, `finally` or `atexit` that saves, and no handler of SIGTERM",
    fix=_INTERRUPTS,
    why="by default SIGTERM ends the process at once: neither `except`, `finally` nor `atexit` runs",
)


def check(facts: Facts) -> Iterator[Finding]:
    """The one line that is missing, told for information: the saving itself is there."""
    if writes_checkpoints(facts) or sigterm_handler(facts) is not None:
        return
    saving = saving_names(facts)
    path = ending_path(facts, saving)
    at: ast.expr | ast.stmt | ast.ExceptHandler | None = saved_at_exit(facts, saving)
    fix = _EXITS
    if path is not None:
        at, interrupted = path
        fix = _INTERRUPTS if interrupted else _EXITS
    if at is not None:
        yield RULE.finding(facts, at, found=RULE.summary, expected="SIGTERM taken as an end", fix=fix)
