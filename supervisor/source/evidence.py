"""What the way a loader is made and used tells about training, where no name tells it."""

import ast

from supervisor.source.steps import Kind, Search, Step
from supervisor.source.uses import Use
from supervisor.source.values import callee, keyword, text_of

_SAMPLERS = frozenset({"DistributedSampler", "RandomSampler", "WeightedRandomSampler", "SubsetRandomSampler"})
_STEPS = frozenset({"backward", "apply_gradients", "zero_grad", "train_step", "optimize", "training_step"})
_IDLE = frozenset({"no_grad", "inference_mode", "eval"})
_MOST_NODES = 4000


def weight(search: Search, use: Use) -> int:
    """Above 0 where it looks like training, below 0 where it looks like evaluation."""
    return _said(search, use.call, use) + _data(search, use) + _looped(search, use)


def _said(search: Search, call: ast.Call, use: Use) -> int:
    total = 0
    shuffle = keyword(call, "shuffle")
    if shuffle is not None:
        known = search.truth(shuffle, use.place)
        total += 2 if known else -2 if known is False else 1
    drop = keyword(call, "drop_last")
    if isinstance(drop, ast.Constant):
        total += 1 if drop.value else -1
    sampler = keyword(call, "sampler")
    if sampler is not None:
        ends = search.resolve(Step(sampler, use.place))
        names = {callee(end.step.node) for end in ends if isinstance(end.step.node, ast.Call)}
        total += 1 if names & _SAMPLERS else 0
    return total + _train_flag(call)


def _train_flag(call: ast.Call) -> int:
    for name in ("train", "is_train", "training", "is_training"):
        value = keyword(call, name)
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            return 2 if value.value else -2
    split = text_of(keyword(call, "split") or keyword(call, "subset") or keyword(call, "mode"))
    if split is not None:
        return 2 if split.startswith("train") else -2
    return 0


def _data(search: Search, use: Use) -> int:
    """How the dataset was made: `MNIST(root, train=False)` is no training."""
    data = use.call.args[0] if use.call.args else keyword(use.call, "dataset")
    if data is None:
        return 0
    ends = search.resolve(Step(data, use.place))
    return sum(
        _train_flag(end.step.node)
        for end in ends
        if end.kind is Kind.EXPRESSION and isinstance(end.step.node, ast.Call)
    )


def _looped(search: Search, use: Use) -> int:
    """Whether a loop over the loader takes optimizer steps."""
    owner = use.place.owner
    if not owner.isidentifier():
        return 0
    search.found.ask(owner)
    total = 0
    for loop in _loops(search, owner):
        names = {callee(part) for part in list(ast.walk(loop))[:_MOST_NODES] if isinstance(part, ast.Call)}
        total += 3 if names & _STEPS else -1 if names & _IDLE else 0
    return total


def _loops(search: Search, owner: str) -> list[ast.stmt]:
    return [
        loop
        for loop in search.found.loops
        if owner
        in {
            part.id if isinstance(part, ast.Name) else part.attr
            for part in ast.walk(loop.iter)
            if isinstance(part, ast.Name | ast.Attribute)
        }
    ]
