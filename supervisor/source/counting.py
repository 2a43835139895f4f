"""Numbers that only count steps, beside loaders whose own number nobody names."""

import ast

from supervisor.source.index import Index
from supervisor.source.names import is_loader
from supervisor.source.places import Form, Site
from supervisor.source.steps import Step
from supervisor.source.values import size_of

_BATCHING = frozenset(
    {"get_batch", "get_batches", "batches", "next_batch", "batch_iter", "minibatches", "iterate_minibatches"}
    | {"train_on_batch", "data_generator", "batch_generator", "sample", "sample_batch"}
)


def only_counts(found: Index, name: str) -> bool:
    """Whether a variable is read, and that only to divide by it."""
    divisors: set[tuple[int, int]] = set()
    reads: set[tuple[int, int]] = set()
    module = found.module.node
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.Name) and node.id == name and type(node.ctx) is ast.Load:
            reads.add((node.lineno, node.col_offset))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            inner = [part for part in ast.walk(node.right) if isinstance(part, ast.Name)]
            divisors |= {(part.lineno, part.col_offset) for part in inner if part.id == name}
    return bool(reads) and reads <= divisors


def unnamed_sizes(found: Index) -> list[Site | Step]:
    """Numbers at a position of what makes batches, which may be their size."""
    found.ask_calls(*_BATCHING, *(word for word in found.words_with("loader", "Loader") if _batches(word)))
    return [
        Site("batch_size", Form.KEYWORD, value, value.lineno, place)
        for name, calls in list(found.calls.items())
        for call, place in (calls if _batches(name) else ())
        for value in call.args
        if (size_of(value) or 1) > 1
    ]


def _batches(name: str) -> bool:
    return name in _BATCHING or is_loader(name)
