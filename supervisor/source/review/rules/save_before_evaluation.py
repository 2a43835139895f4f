"""`save-before-evaluation`: a trained model is on disk before it is evaluated. Pure."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.source.names import Purpose, purpose_of
from supervisor.source.review.facts import Call, Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.saving import closed_over, is_own, saving_names, writes_checkpoints
from supervisor.source.review.statements import Statement, is_certain
from supervisor.source.values import callee

RULE = Rule(
    id="save-before-evaluation",
    severity=Severity.WARNING,
    summary="the model is saved only after its evaluation",
    looks_for="a whole training, then an evaluation, and only then the first call that saves, in one "
    "function",
    fix="save the model before it is evaluated",
    why="an evaluation that runs out of memory or of time takes the trained model with it",
)
_STEPS = frozenset({"backward", "train_step", "training_step", "train_on_batch"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(slots=True)
class _Course:
    """What has been seen of one function, in the order of its text."""

    trained: bool = False
    evaluation: ast.Call | None = None
    told: bool = False


def check(facts: Facts) -> Iterator[Finding]:
    """Judged where the order is plain to see: a loop of epochs that evaluates in it is not such a place."""
    if not facts.deep or writes_checkpoints(facts):
        return
    epochs = _epoch_loops(facts)
    training = _whole_trainings(facts, epochs)
    # `score` and `map` of others mean many things: only functions of the script count.
    evaluating = {name for name in facts.functions if purpose_of(name) is Purpose.EVALUATION} - training
    if not training or not evaluating:
        return
    saving = saving_names(facts)
    courses: dict[int, _Course] = {}
    for call in facts.calls(*saving, *training, *evaluating):
        name = facts.aliases.get(callee(call.node), callee(call.node))
        if not _counts(facts, call, name, epochs, saving):
            continue
        function = next((item for item in reversed(call.at.parents) if isinstance(item, _SCOPES)), None)
        course = courses.setdefault(id(function), _Course())
        if name in saving and not course.told:
            course.told = True
            if course.evaluation is not None and not _chosen(call.at):
                yield _finding(facts, course.evaluation, call.node)
        elif name in training:
            course.trained = True
        elif course.trained:
            course.evaluation = course.evaluation or call.node


def _counts(facts: Facts, call: Call, name: str, epochs: frozenset[int], saving: frozenset[str]) -> bool:
    """Whether a call is part of the ordinary course: what handles an error, or trains one epoch, is not."""
    if call.at.inside(ast.ExceptHandler) is not None or (name in facts.functions and not is_own(call.node)):
        return False
    return name in saving or not _within(call.at, epochs)


def _finding(facts: Facts, evaluation: ast.Call, save: ast.Call) -> Finding:
    first, then = f"{callee(evaluation)} on line {evaluation.lineno}", f"{callee(save)} on line {save.lineno}"
    expected = "a model on disk before it is evaluated"
    return RULE.finding(facts, save, found=f"{first} before the first {then}", expected=expected)


def _epoch_loops(facts: Facts) -> frozenset[int]:
    """The loops on whose head the word epoch stands, by their identity."""
    loops = (ast.For, ast.AsyncFor, ast.While)
    return frozenset(id(item.node) for item in facts.near("epoch") if isinstance(item.node, loops))


def _whole_trainings(facts: Facts, epochs: frozenset[int]) -> frozenset[str]:
    """The functions of the script that train from the first epoch to the last, and what calls them."""
    calls = (call.at for call in facts.calls(*closed_over(facts, _STEPS)))
    return closed_over(facts, {item.function for item in calls if _within(item, epochs) and item.function})


def _within(statement: Statement, loops: frozenset[int]) -> bool:
    """Whether one of these loops is around the statement, in its function."""
    for parent in reversed(statement.parents):
        if isinstance(parent, _SCOPES):
            return False
        if id(parent) in loops:
            return True
    return False


def _chosen(statement: Statement) -> bool:
    """Whether the save hangs on a test, such as of the best score."""
    return any(isinstance(item, ast.If) and not is_certain(item.test) for item in statement.parents)
