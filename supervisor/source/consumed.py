"""Whether anything trains with what a call makes: followed by the variable that holds it."""

import ast
from collections.abc import Iterator

from supervisor.source.index import bindings
from supervisor.source.places import Form
from supervisor.source.steps import Search
from supervisor.source.uses import TRAINING_CALLS, Use
from supervisor.source.values import keyword

_IDLE_CALLS = frozenset({"evaluate", "predict", "evaluate_generator", "predict_generator", "len", "print"})
_VALIDATING = frozenset({"validation_data", "val_dataloaders", "eval_dataset", "eval_set"})
_TAKING_DATA = ("x", "generator", "train_dataloaders", "train_dataloader", "dataset")


def trains(search: Search, use: Use) -> bool | None:
    """True where training is seen to take it, False where nothing does; None where nobody can tell."""
    if use.callee in TRAINING_CALLS:
        return True
    owner = _variable(search, use)
    if owner is None:
        return None
    if owner in _given_to(search, TRAINING_CALLS):
        return True
    lines = {
        part.lineno
        for taken in _taken_aside(search)
        for part in ast.walk(taken)
        if isinstance(part, ast.Name) and part.id == owner
    }
    return False if set(search.found.loads.get(owner, ())) <= lines else None


def takes_made(search: Search, use: Use, others: list[Use]) -> bool:
    """Whether a training call is given what one of the others makes, which has a size of its own already."""
    data = use.call.args[0] if use.call.args else _keyword(use.call)
    if use.callee not in TRAINING_CALLS or not isinstance(data, ast.Name):
        return False
    return any(_variable(search, other) == data.id for other in others if other is not use)


def _taken_aside(search: Search) -> Iterator[ast.expr]:
    """What is evaluated, counted, or used to validate."""
    for name in _IDLE_CALLS:
        yield from (call for call, _ in search.found.calls_to(name))
    for name in TRAINING_CALLS:
        for call, _ in search.found.calls_to(name):
            yield from (item.value for item in call.keywords if item.arg in _VALIDATING)


def _keyword(call: ast.Call) -> ast.expr | None:
    return next((value for name in _TAKING_DATA if (value := keyword(call, name)) is not None), None)


def _variable(search: Search, use: Use) -> str | None:
    """The one variable that is bound to what the call makes, or to what is made of it."""
    owner = use.place.owner
    if not owner.isidentifier():
        return None
    sites = bindings(search.found, owner, use.place.scope)
    held = [site for site in sites if site.value is not None and _has(site.value, use.call)]
    search.found.ask(owner)
    return owner if held and held[0].form in {Form.CONSTANT, Form.LOCAL} else None


def _has(value: ast.expr, call: ast.Call) -> bool:
    return any(part is call for part in ast.walk(value))


def _given_to(search: Search, names: frozenset[str]) -> set[str]:
    """The variables that calls of these names are given."""
    return {
        part.id
        for name in names
        for call, _ in search.found.calls_to(name)
        for value in (*call.args, *(item.value for item in call.keywords if item.arg in _TAKING_DATA))
        for part in ast.walk(value)
        if isinstance(part, ast.Name)
    }
