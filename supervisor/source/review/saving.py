"""What saves models in a script: calls, functions of its own that hold such calls, and trainers. Pure."""

import ast
from collections.abc import Iterable, Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.statements import FUNCTIONS
from supervisor.source.values import callee, keyword, last_name, text_of

_SAVES = frozenset(
    {"save", "save_model", "save_pretrained", "save_weights", "save_checkpoint", "save_state", "savez"}
    | {"dump", "export", "to_pickle", "save_state_dict", "booster_save", "save_file", "write_checkpoint"}
)
_WORDS = ("save", "checkpoint", *_SAVES)
_MOST_NAMES = 1000
_HINTS = ("save", "checkpoint", "ckpt")
# These write what they train at each epoch, or every few hundred steps.
_CALLBACKS = ("ModelCheckpoint", "BackupAndRestore", "OnExceptionCheckpoint", "CheckpointCallback")
_TRAINERS = ("Trainer", "Seq2SeqTrainer", "SFTTrainer", "DPOTrainer", "YOLO", "LightningCLI")
_TRAINERS_OF = frozenset({"transformers", "trl", "lightning", "pytorch_lightning", "ultralytics"})
_ENDS = frozenset({"KeyboardInterrupt", "SystemExit", "BaseException"})


def is_save(name: str) -> bool:
    """Whether a callable of that name saves something."""
    low = name.lower()
    return name in _SAVES or "save" in low or "checkpoint" in low


def saving_names(facts: Facts) -> frozenset[str]:
    """The names of calls that save: those that say so, and the script's own functions that call them."""
    names = (callee(call.node) for call in facts.calls_near(*_WORDS))
    return closed_over(facts, {name for name in names if is_save(name)})


def closed_over(facts: Facts, names: Iterable[str]) -> frozenset[str]:
    """These names of calls, and the script's own functions in which any of them is called, however deep."""
    found = set(names)
    work = list(found)
    while work and len(found) < _MOST_NAMES:
        name = work.pop()
        for call in facts.calls(name):
            if name in facts.functions and not is_own(call.node):
                continue
            around = [item.name for item in call.at.parents if isinstance(item, FUNCTIONS)]
            work += [item for item in around if item not in found]
            found.update(around)
    return frozenset(found)


def is_own(call: ast.Call) -> bool:
    """Whether a call by the name of a function of the script means that: `f()`, `self.f()`, not `x.f()`."""
    if isinstance(call.func, ast.Attribute):
        return isinstance(call.func.value, ast.Name) and call.func.value.id in {"self", "cls"}
    return True


def saves_anything(facts: Facts) -> bool:
    """Whether there is any sign of a model that is saved."""
    if writes_checkpoints(facts) or saving_names(facts):
        return True
    # What trains may stand in another module, and be told here where to save.
    nodes = (node for statement in facts.near(*_HINTS) for node in statement.nodes())
    return any(hint in _name(node).lower() for node in nodes for hint in _HINTS)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.keyword):
        return node.arg or ""
    return last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def writes_checkpoints(facts: Facts) -> bool:
    """Whether a library writes checkpoints while it trains, so that little is lost at any end."""
    if facts.calls(*_CALLBACKS):
        return True
    if not any(_is_trainer(facts, item) for item in _made_or_inherited(facts)):
        return False
    off = (keyword(call.node, "enable_checkpointing") for call in facts.calls_near("enable_checkpointing"))
    never = (keyword(call.node, "save_strategy") for call in facts.calls_near("save_strategy"))
    return not (any(map(_is_false, off)) or any(text_of(item) == "no" for item in never))


def ending_path(facts: Facts, saving: frozenset[str]) -> tuple[ast.stmt | ast.ExceptHandler, bool] | None:
    """A `finally`, or a handler of Ctrl-C, that saves something; and whether KeyboardInterrupt reaches it."""
    for node in facts.tries:
        for handler in node.handlers:
            caught = {last_name(item) for item in _exceptions(handler.type)}
            if (handler.type is None or caught & _ENDS) and saves_in(handler.body, saving):
                return handler, handler.type is None or caught != {"SystemExit"}
        if node.finalbody and saves_in(node.finalbody, saving):
            return node.finalbody[0], True
    return None


def saved_at_exit(facts: Facts, saving: frozenset[str]) -> ast.Call | None:
    """The call of `atexit.register` that is given a function which saves."""
    for call in (item.node for item in facts.calls("register")):
        given = last_name(call.args[0]) if call.args else ""
        if facts.whole_name(call.func) == "atexit.register" and (given in saving or is_save(given)):
            return call
    return None


def saves_in(body: Iterable[ast.AST], saving: frozenset[str]) -> bool:
    """Whether a call that saves stands in any of these."""
    calls = (node for part in body for node in ast.walk(part) if isinstance(node, ast.Call))
    return any(callee(call) in saving for call in calls)


def _exceptions(node: ast.expr | None) -> list[ast.expr]:
    if node is None:
        return []
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _made_or_inherited(facts: Facts) -> Iterator[ast.expr]:
    """What is called and what classes derive from, where it may be a trainer."""
    yield from (call.node.func for call in facts.calls(*_TRAINERS, "instantiate"))
    for statement in facts.near(*_TRAINERS):
        if isinstance(statement.node, ast.ClassDef):
            yield from statement.node.bases


def _is_trainer(facts: Facts, node: ast.expr) -> bool:
    """Whether it is a trainer of a library that saves; one that Hydra makes for Lightning is taken to be."""
    name = facts.whole_name(node)
    if name.endswith("instantiate"):
        return not {"lightning", "pytorch_lightning"}.isdisjoint(facts.modules)
    return name.partition(".")[0] in _TRAINERS_OF and name.rpartition(".")[2] in _TRAINERS


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
