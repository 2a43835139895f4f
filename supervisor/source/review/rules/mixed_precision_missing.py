"""`mixed-precision-missing`: half precision where it is safe. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.possible import Value, possible_argument, possible_values
from supervisor.source.review.rule import Rule
from supervisor.source.review.settings import settings_of
from supervisor.source.values import text_of

RULE = Rule(
    id="mixed-precision-missing",
    severity=Severity.WARNING,
    summary="no mixed precision",
    looks_for="a script that trains networks without autocast, GradScaler, `fp16`, `bf16`, `precision=`, "
    "a Keras "
    "policy or their like, or with all of it off",
    fix='wrap the forward pass in `with torch.autocast("cuda"):` and scale the loss by '
    'torch.amp.GradScaler("cuda"); in a Trainer pass bf16=True or precision="16-mixed"; in Keras call '
    'keras.mixed_precision.set_global_policy("mixed_float16")',
    why="it halves the memory of activations, so a larger batch fits, and runs on the tensor cores",
)
_CALLS = ("autocast", "GradScaler", "bfloat16", "half", "bf16_autocast", "autocast_mode")
_POLICIES = ("set_global_policy", "set_policy", "set_dtype_policy", "Policy", "DTypePolicy")
_SWITCHES = frozenset({"fp16", "bf16", "amp", "use_amp", "use_fp16", "use_bf16", "half", "mixed_precision"})
_PASSED = ("precision",)
_HALVES = frozenset({"float16", "bfloat16"})
_OFF: frozenset[Value] = frozenset({None, False, "no", "off", "none", "float32", 32, "32", "32-true"})
# Trees and linear models have no such thing.
_NEEDS = frozenset({"torch", "tensorflow", "keras", "lightning", "pytorch_lightning", "transformers"})


def check(facts: Facts) -> Iterator[Finding]:
    """Any sign of it that may be switched on is enough.

    A script without one is warned, never failed: the training may stand in a module beside it.
    """
    if _NEEDS.isdisjoint(facts.modules):
        return
    off: ast.expr | None = None
    for node, may_be_on in _signs(facts):
        if may_be_on:
            return
        off = off or node
    yield RULE.finding(
        facts,
        off,
        found="mixed precision switched off" if off is not None else "no sign of mixed precision",
        expected="autocast with a GradScaler, or bf16",
    )


def _signs(facts: Facts) -> Iterator[tuple[ast.expr, bool]]:
    for call in facts.calls(*_CALLS):
        values, _ = possible_argument(facts, call, "enabled", position=None, default=True)
        yield call.node, values is None or any(values)
    for call in facts.calls(*_POLICIES):
        name = text_of(call.node.args[0]) if call.node.args else None
        yield call.node, name is None or "16" in name
    for call in facts.calls_near(*_HALVES):
        for item in call.node.keywords:
            if isinstance(item.value, ast.Attribute) and item.value.attr in _HALVES:
                # `dtype=torch.bfloat16`
                yield item.value, True
    for value, at in settings_of(facts, _SWITCHES, _PASSED):
        values = possible_values(facts, value, at)
        yield value, values is None or not values <= _OFF
