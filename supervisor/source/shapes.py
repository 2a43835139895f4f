"""Sizes that are part of a model's shape: Keras' `Input(batch_size=…)`, `batch_input_shape=(64, …)`.

A shape says which batches a model takes and never how large those of training are.
"""

import ast
from collections.abc import Iterator

from supervisor.source.index import Index
from supervisor.source.places import Place
from supervisor.source.values import keyword, last_name

# Calls whose `batch_size` is a shape.
SHAPED = frozenset({"Input", "InputLayer", "KerasTensor", "InputSpec", "input_data"})
_SHAPES = ("batch_shape", "batch_input_shape")


def sizes_of_shapes(found: Index) -> Iterator[tuple[ast.expr, Place]]:
    """The expressions of sizes inside shapes."""
    found.ask(*_SHAPES)
    found.ask_calls(*SHAPED)
    for name, calls in list(found.calls.items()):
        for call, place in calls:
            size = keyword(call, "batch_size") if name in SHAPED else None
            if size is not None:
                yield size, place
            for shape in filter(None, (keyword(call, word) for word in _SHAPES)):
                if isinstance(shape, ast.Tuple | ast.List) and shape.elts:
                    yield shape.elts[0], place


def only_in_shapes(found: Index, name: str) -> bool:
    """Whether what has the name is read, and that in shapes alone."""
    lines = {*found.loads.get(name, ()), *(node.lineno for node, _ in found.reads.get(name, ()))}
    shaped = {
        part.lineno
        for size, _ in sizes_of_shapes(found)
        for part in ast.walk(size)
        if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and last_name(part) == name
    }
    return bool(lines) and lines <= shaped
