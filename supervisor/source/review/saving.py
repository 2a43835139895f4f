"""Rules on what is left of a training that is ended early. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.values import callee, last_name

_SAVES = frozenset(
    {"save", "save_model", "save_pretrained", "save_weights", "save_checkpoint", "save_state", "savez"}
    | {"dump", "export", "to_pickle", "save_state_dict", "ModelCheckpoint", "booster_save", "save_file"}
)
# Trainers that write checkpoints without being told to.
_SAVE_BY_THEMSELVES = frozenset({"Trainer", "Seq2SeqTrainer", "SFTTrainer", "YOLO"})
_HANDLERS = ("signal", "add_signal_handler", "sigaction")
_ENDS = frozenset({"KeyboardInterrupt", "SystemExit", "BaseException"})
_FIX = (
    "call signal.signal(signal.SIGTERM, handler) before training, raise in the handler, and save the models "
    "made so far where it is caught"
)
_WHY = "when time is short training gets SIGTERM and a few seconds: what is not saved then is lost"


def judge_saving(facts: Facts) -> Iterator[Finding]:
    """A training that is told to end saves the models that it has, so that a submission can be made of them.

    A handler of SIGTERM is what is looked for. `except KeyboardInterrupt` or `finally` alone are not
    reached by SIGTERM, whose default is to end the process at once, so they are named with the one line
    that is missing. Like all rules of missing evidence these only warn.
    """
    severity = Severity.WARNING if facts.trains else Severity.INFO
    handler, path = _handler(facts), _ending_path(facts)
    saves = facts.called(_SAVES | _SAVE_BY_THEMSELVES) is not None or _defines_saving(facts)
    if not saves:
        fix = "save the model after each fold or epoch, such as by torch.save(model.state_dict(), path)"
        yield Finding("models-unsaved", severity, None, "nothing saves a model", "models on disk", fix, _WHY)
    if handler is not None:
        return
    if path is not None:
        yield Finding(
            rule="sigterm-not-caught",
            severity=Severity.INFO,
            line=path,
            found="an ending that saves, which SIGTERM does not reach",
            expected="SIGTERM taken as Ctrl-C is",
            fix="call signal.signal(signal.SIGTERM, signal.default_int_handler) before training",
            why=_WHY,
        )
        return
    yield Finding(
        rule="partial-models-unsaved",
        severity=severity,
        line=None,
        found="no handler of SIGTERM",
        expected="a handler that leads to saving the models made so far",
        fix=_FIX,
        why=_WHY,
    )


def _handler(facts: Facts) -> int | None:
    for call, _ in facts.calls(*_HANDLERS):
        if any(last_name(item) == "SIGTERM" for item in call.args):
            return call.lineno
    # `for sig in (SIGINT, SIGTERM): signal.signal(sig, …)` names it elsewhere.
    named = "SIGTERM" in facts.found.loads or "SIGTERM" in facts.attributes
    handled = facts.called(_HANDLERS)
    return handled.lineno if named and handled is not None else None


def _ending_path(facts: Facts) -> int | None:
    """The line of a `finally`, or of a handler of Ctrl-C, that saves something."""
    for node in facts.tries:
        for handler in node.handlers:
            caught = ast.walk(handler.type) if handler.type is not None else ()
            ends = handler.type is None or any(
                isinstance(item, ast.expr) and last_name(item) in _ENDS for item in caught
            )
            if ends and _saves(handler.body):
                return handler.lineno
        if node.finalbody and _saves(node.finalbody):
            return node.finalbody[0].lineno
    return None


def _saves(body: list[ast.stmt]) -> bool:
    calls = (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(callee(call) in _SAVES or "save" in callee(call).lower() for call in calls)


def _defines_saving(facts: Facts) -> bool:
    return any("save" in name.lower() or "checkpoint" in name.lower() for name in facts.found.calls)
