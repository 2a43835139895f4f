"""`mixed-precision-missing`: half precision where it is safe. Pure."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.loaders import TRAINER_ARGUMENTS
from supervisor.source.review.possible import Value, possible_argument, possible_values
from supervisor.source.review.rule import Rule
from supervisor.source.review.settings import settings_of
from supervisor.source.values import last_name, text_of

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
_SCOPES = frozenset({"autocast", "GradScaler", "bf16_autocast", "NativeScaler"})
_CALLS = ("bfloat16", "half", "to_fp16", "to_bf16", "scale_loss", "amp")
# What these train in is said outside of the script.
_CONFIGURED = ("Accelerator", "HfArgumentParser", "LightningCLI", "instantiate")
_POLICIES = ("set_global_policy", "set_policy", "set_dtype_policy", "Policy", "DTypePolicy")
_SWITCHES = frozenset({"fp16", "bf16", "amp", "use_amp", "use_fp16", "use_bf16", "half", "mixed_precision"})
_TENSORFLOW = "TF_ENABLE_AUTO_MIXED_PRECISION"
_ARGUMENTS = ("fp16", "bf16", "amp", "precision")
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
    if any(switch in item.lower() for item in facts.args for switch in _ARGUMENTS):
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
    yield from ((call.node, True) for call in facts.calls(*_CALLS, *_CONFIGURED))
    for call in facts.calls("Trainer", *TRAINER_ARGUMENTS):
        # Given by `**` it may be among them.
        yield from ((item.value, True) for item in call.node.keywords if item.arg is None)
    called: set[int] = set()
    for call in facts.calls(*_SCOPES):
        called.add(id(call.node.func))
        values, _ = possible_argument(facts, call, "enabled", position=None, default=True)
        yield call.node, values is None or any(values)
    for statement in facts.near(*_SCOPES, *_HALVES, "amp", _TENSORFLOW):
        for node in statement.nodes():
            if id(node) not in called and _is_sign(node, facts):
                yield node, True
    for call in facts.calls(*_POLICIES):
        name = text_of(call.node.args[0]) if call.node.args else None
        yield call.node, name is None or "16" in name
    for value, at in settings_of(facts, _SWITCHES, _PASSED):
        values = possible_values(facts, value, at)
        yield value, values is None or not values <= _OFF


def _is_sign(node: ast.AST, facts: Facts) -> TypeGuard[ast.expr]:
    """`torch.bfloat16`, `partial(torch.autocast, …)`, `amp.initialize`; NumPy's halves mean other things."""
    if isinstance(node, ast.Constant):
        return node.value == _TENSORFLOW
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    name = facts.whole_name(node)
    last = last_name(node)
    if last in _HALVES:
        return not name.startswith(("numpy.", "pandas."))
    return last in _SCOPES or name.endswith("amp.initialize")
