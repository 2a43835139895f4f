"""`batch-size-small`: the batch is large enough for the kind of data. Pure."""

from collections.abc import Iterator

from supervisor.domain.review import Kind
from supervisor.source.locate import Located
from supervisor.source.review.batch_sizes import LEAST, RANGES, set_to
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.possible import Values, possible_values
from supervisor.source.review.rule import Rule
from supervisor.source.review.settings import settings_of

RULE = Rule(
    id="batch-size-small",
    severity=Severity.ERROR,
    summary="batch size too small for the kind",
    looks_for="images under 128, tables under 4096, text under 64; only a warning for text that gathers "
    "gradients over steps",
    fix="set it to the least of the kind, then double it while under half of the GPU's memory is in use",
    why="a small batch leaves most of the GPU idle and the folds unfinished when the time is over",
)
_ACCUMULATION = frozenset(
    {"gradient_accumulation_steps", "accumulate_grad_batches", "accumulation_steps", "accum_steps"}
)
_ONE: Values = frozenset({1})


def check(facts: Facts) -> Iterator[Finding]:
    """The size against the kind's range; without a kind, or without a certain size, nothing is judged."""
    located, kind = facts.located, facts.kind
    if not isinstance(located, Located) or kind is None or located.value >= LEAST[kind]:
        return
    # Such a script has chosen small steps knowingly.
    gathers = kind is Kind.TEXT and _accumulates(facts)
    yield RULE.finding(
        facts,
        facts.size_span(),
        found=f"batch size {located.value}" + (", with gradients gathered over steps" if gathers else ""),
        expected=f"{RANGES[kind]} for {kind}",
        fix=f"{set_to(located, LEAST[kind])}; double it while under half of the GPU's memory is in use",
        severity=Severity.WARNING if gathers else Severity.ERROR,
    )


def _accumulates(facts: Facts) -> bool:
    """Whether something that is named so may be more than 1."""
    return any(possible_values(facts, value, at) != _ONE for value, at in settings_of(facts, _ACCUMULATION))
