"""Where a script hands its learning rate over: to optimizers, to Keras' `compile`, to trainers."""

import ast
from collections.abc import Iterator

from supervisor.source.index import Index
from supervisor.source.names import RATE_STEMS, Purpose, is_learning_rate, words
from supervisor.source.places import Place
from supervisor.source.uses import Use
from supervisor.source.values import callee

_OPTIMIZERS = frozenset(
    {
        "Adam",
        "AdamW",
        "SGD",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "NAdam",
        "Nadam",
        "RAdam",
        "LBFGS",
        "Lion",
    }
    | {
        "Lamb",
        "LAMB",
        "LARS",
        "AdaBelief",
        "Adafactor",
        "Ranger",
        "Ftrl",
        "AdamOptimizer",
        "RMSPropOptimizer",
    }
    | {"GradientDescentOptimizer", "MomentumOptimizer", "AdagradOptimizer", "AdamWeightDecay", "FusedAdam"}
    | {
        "AdamW8bit",
        "Adam8bit",
        "PagedAdamW8bit",
        "adam",
        "adamw",
        "sgd",
        "rmsprop",
        "adagrad",
        "lion",
        "lamb",
    }
    | {"SparseAdam", "ASGD", "Rprop", "RectifiedAdam", "BertAdam", "DeepSpeedCPUAdam", "Sophia", "Muon"}
)
# PyTorch's optimizers take the parameters first, those of Keras, TensorFlow and optax take the rate.
_SECOND = 1


def rate_uses(found: Index) -> list[Use]:
    """All of a script's uses of a learning rate, in the order of the source."""
    found.ask(*(word for word in found.words_with(*RATE_STEMS) if is_learning_rate(word)))
    optimizers = {word for word in found.words_with("optimizer", "adam", "sgd") if _is_optimizer(word)}
    found.ask_calls(*_OPTIMIZERS, *optimizers)
    uses: list[Use] = []
    for name, calls in list(found.calls.items()):
        for call, place in calls:
            uses += _uses(call, name, place)
    return sorted(uses, key=lambda use: (use.line, use.value.col_offset))


def _is_optimizer(name: str) -> bool:
    return words(name)[-1:] in {("optimizer",), ("adam",), ("sgd",), ("adamw",)}


def _uses(call: ast.Call, name: str, place: Place) -> Iterator[Use]:
    if name in {"dict", "add_argument", "option", "Option", "set_defaults", "print", "log", "format"}:
        return
    optimizer = name in _OPTIMIZERS or (_is_optimizer(name) and name[:1].isupper())
    rank = 0 if optimizer or name.endswith(("TrainingArguments", "Config", "Arguments")) else 1
    given = [item for item in call.keywords if item.arg is not None and is_learning_rate(item.arg)]
    for item in given:
        if item.arg != "max_lr":
            yield Use(item.arg or "", item.value, call, item.value.lineno, place, Purpose.TRAINING, rank)
    if given or not optimizer or any(isinstance(item, ast.Starred) for item in call.args):
        return
    value = _positional(call)
    if value is not None:
        yield Use("lr", value, call, value.lineno, place, Purpose.TRAINING, 0)


def _positional(call: ast.Call) -> ast.expr | None:
    """The second argument beside parameters, else the first where it looks like a rate."""
    if len(call.args) > _SECOND:
        return call.args[_SECOND]
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, float):
        return first
    name = first.id if isinstance(first, ast.Name) else first.attr if isinstance(first, ast.Attribute) else ""
    return first if is_learning_rate(name) and callee(call) else None
