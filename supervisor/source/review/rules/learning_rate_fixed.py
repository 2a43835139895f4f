"""`learning-rate-fixed`: the learning rate follows the batch size. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.locate import Located
from supervisor.source.review.bindings import bound_to
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import TRAINER_ARGUMENTS
from supervisor.source.review.rule import Rule
from supervisor.source.review.statements import Statement
from supervisor.source.values import keyword, unwrap

RULE = Rule(
    id="learning-rate-fixed",
    severity=Severity.INFO,
    summary="the learning rate does not follow the batch size",
    looks_for="an optimiser whose learning rate is one written number, beside a batch size that can be "
    "corrected",
    fix="work it out from the batch size, such as LEARNING_RATE = 1e-3 * (BATCH_SIZE / 128) ** 0.5 (for SGD "
    "without the root), or submit with sizing.scale_lr where that is offered",
    why="a doubled batch halves the optimiser's steps: at the same rate the model may learn less in the "
    "same epochs",
)
_OPTIMISERS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Lion", "Adadelta")
_POSITION = 1  # torch.optim.SGD(params, lr)
_MOST_STEPS = 50


def check(facts: Facts) -> Iterator[Finding]:
    """The first optimiser of a script; a rate that is worked out in any way may follow the batch."""
    changed_later = any(facts.near("param_groups"))
    if not facts.deep or not isinstance(facts.located, Located) or changed_later:
        return
    for call in facts.calls(*_OPTIMISERS, *TRAINER_ARGUMENTS):
        named = keyword(call.node, "lr") or keyword(call.node, "learning_rate")
        rate = named or _by_position(facts, call.node)
        literal = _literal(facts, rate, call.at) if rate is not None else None
        if literal is not None:
            yield RULE.finding(
                facts,
                literal,
                found=f"a learning rate of {literal.value!r} whatever the batch size",
                expected="a rate that grows with the batch",
            )
            return


def _by_position(facts: Facts, call: ast.Call) -> ast.expr | None:
    return call.args[_POSITION] if "torch" in facts.modules and len(call.args) > _POSITION else None


def _literal(facts: Facts, rate: ast.expr, at: Statement) -> ast.Constant | None:
    """The first of the numbers that the rate may be, where it can be nothing but a written number."""
    work, literals = [(rate, at)], list[ast.Constant]()
    for _ in range(_MOST_STEPS):
        if not work:
            return literals[0] if literals else None
        node, where = work.pop()
        node, _ = unwrap(node)
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, float):
                return None
            literals.append(node)
            continue
        bindings = bound_to(facts, node, where)
        if not bindings:
            return None
        for bound in bindings:
            if bound.value is None:
                return None
            work.append((bound.value, bound.at))
    return None
