"""What a function's parameter may be: what the script's own calls pass, its options, or its default."""

import ast
from collections.abc import Iterator

from supervisor.source.names import Purpose, purpose_of
from supervisor.source.options import option_name
from supervisor.source.places import Form, Place, Scope, Site
from supervisor.source.steps import End, Kind, ReadFile, Search, Step
from supervisor.source.values import callee, identifiers, keyword, last_name, text_of

# Calls that call what they are given: the position of the first argument that is handed on, if they pass any.
_STARTING = {"spawn": 1, "Process": 0, "Thread": 0, "launch": 0, "elastic_launch": 0, "notebook_launcher": 0}
_MOST_CALLS = 40


def passed(search: Search, site: Site, before: Step | None) -> list[End]:
    """Everything that a parameter may stand for, the default only where a call leaves it out."""
    function = site.place.scope.node
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return [End(Kind.OPAQUE, _at(site, before))]
    decorated = _decorated(search, site, function, before)
    if decorated is not None:
        return decorated
    calls = [
        item for item in _calls(search, site, function) if purpose_of_call(*item) is not Purpose.EVALUATION
    ]
    started = [(_started_value(call, site), place) for call, place in _started(search, function)]
    values = [(value, place) for value, place in started if value is not None]
    found: list[End] = []
    omitted = not calls and not started
    for call, place in calls[:_MOST_CALLS]:
        given = list(_given(call, site))
        omitted |= not given
        found += [End(Kind.OPAQUE, _at(site, before)) for value in given if value is None]
        values += [(value, place) for value in given if value is not None]
    for value, place in values:
        passed_on = Site(site.name, Form.KEYWORD, value, value.lineno, place)
        found += search.resolve(Step(value, place, passed_on, before))
    return [*found, *_default(search, site, before)] if omitted else found


def purpose_of_call(call: ast.Call, place: Place) -> Purpose | None:
    """What a call of the script's own function is for: by its data, by its result, by what is around it."""
    data = identifiers(call.args[0]) if call.args else ""
    for name in (place.owner, data):
        found = purpose_of(name)
        if found is not None:
            return found
    return place.purpose


def _default(search: Search, site: Site, before: Step | None) -> list[End]:
    if site.value is None:
        return _annotated(search, site, before) or [End(Kind.UNPASSED, _at(site, before))]
    # A default is worked out where the function is defined, not inside it.
    outer = site.place.scope.parent
    place = Place(outer, site.place.guards, site.place.purpose) if outer else site.place
    return search.resolve(Step(site.value, place, site, before))


def _annotated(search: Search, site: Site, before: Step | None) -> list[End]:
    """The script's own class that a parameter is annotated with: somebody else passes one of its kind."""
    function = site.place.scope.node
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    items = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    said = next((item.annotation for item in items if item.arg == site.name), None)
    name = last_name(said) if said is not None else ""
    known = (
        [item for item in search.found.defined(name) if isinstance(item.node, ast.ClassDef)] if name else []
    )
    return [End(Kind.DEFINITION, _at(site, before), known[-1])] if known else []


def _decorated(
    search: Search, site: Site, function: ast.FunctionDef | ast.AsyncFunctionDef, before: Step | None
) -> list[End] | None:
    """What click's options, or Hydra, hand to the function; None where nothing does."""
    for mark in function.decorator_list:
        if not isinstance(mark, ast.Call):
            continue
        if option_name(mark) == site.name:
            options = [item for item in search.found.members_named(site.name) if item.form is Form.OPTION]
            options = [item for item in options if set(item.flags) & set(_texts(mark))] or options
            return [end for item in options for end in search.end_of(item, before)]
        if last_name(mark.func) == "main" and site.position == 0:
            stored = _stored_config(search, before)
            if stored:
                return stored
            name = text_of(keyword(mark, "config_name"))
            if name is not None:
                folder = text_of(keyword(mark, "config_path"))
                name = name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"
                path = f"{folder}/{name}" if folder and folder != "." else name
                return [End(Kind.FILE, _at(site, before), file=ReadFile(None, "yaml", path))]
    return None


def _stored_config(search: Search, before: Step | None) -> list[End]:
    """The class that Hydra's `ConfigStore` was given; a file by that name may only add to it."""
    found: list[End] = []
    for call, place in search.found.calls_to("store"):
        node = keyword(call, "node")
        if node is not None:
            found += search.resolve(Step(node, place, None, before))
    return [end for end in found if end.kind is Kind.DEFINITION]


def _texts(call: ast.Call) -> Iterator[str]:
    for item in call.args:
        text = text_of(item)
        if text is not None:
            yield text.partition("/")[0]


def _calls(
    search: Search, site: Site, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> list[tuple[ast.Call, Place]]:
    """The calls of the function by its name; of a class by its own name and by that of what is made of it."""
    outer = site.place.scope.parent
    if outer is None or outer.kind != "class":
        # `model.train()` is not a call of the script's own `train`.
        return [
            (call, place)
            for call, place in search.found.calls_to(function.name)
            if isinstance(call.func, ast.Name) or _is_partial(call)
        ] + _partials(search, function.name)
    if function.name != "__init__":
        return [
            (call, place)
            for call, place in search.found.calls_to(function.name)
            if isinstance(call.func, ast.Attribute)
        ]
    search.found.ask(outer.name)
    found = [*search.found.calls_to(outer.name), *_partials(search, outer.name)]
    for item in list(search.found.definitions.values()):
        for definition in item:
            node = definition.node
            if not isinstance(node, ast.ClassDef) or outer.name not in map(last_name, node.bases):
                continue
            own = next((part for part in node.body if getattr(part, "name", "") == "__init__"), None)
            if own is None:
                found += search.found.calls_to(node.name)
            else:
                found += [
                    (call, place)
                    for call, place in search.found.calls_to("__init__")
                    if _within(place.scope, definition.inner.scope)
                ]
    return found


def _within(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer


def _partials(search: Search, name: str) -> list[tuple[ast.Call, Place]]:
    return [
        (call, place)
        for call, place in search.found.calls_to("partial")
        if call.args and last_name(call.args[0]) == name
    ]


def _is_partial(call: ast.Call) -> bool:
    return callee(call) == "partial"


def _given(call: ast.Call, site: Site) -> Iterator[ast.expr | None]:
    """What the call passes for the parameter: an expression, or None where that is not in sight."""
    value = keyword(call, site.name)
    if value is not None:
        yield value
        return
    args = call.args[1:] if _is_partial(call) else call.args
    if site.position is not None and site.position < len(args):
        before = args[: site.position + 1]
        if not any(isinstance(item, ast.Starred) for item in before):
            yield args[site.position]
            return
    if any(isinstance(item, ast.Starred) for item in args):
        yield None
        return
    for item in call.keywords:
        if item.arg is None:
            # f(**options) passes what options[name] would.
            key = ast.copy_location(ast.Constant(site.name), item.value)
            yield ast.copy_location(ast.Subscript(_without_vars(item.value), key, ast.Load()), item.value)


def _without_vars(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Call) and callee(node) in {"vars", "asdict"} and len(node.args) == 1:
        return node.args[0]
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return node.value
    return node


def _started(
    search: Search, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[tuple[ast.Call, Place]]:
    """`mp.spawn(worker, args=(…))`, `Process(target=worker, args=(…))` and their like."""
    search.found.ask(function.name)
    for name in _STARTING:
        for call, place in search.found.calls.get(name, ()):
            target = keyword(call, "target") or keyword(call, "fn") or (call.args[0] if call.args else None)
            if isinstance(target, ast.Name) and target.id == function.name:
                yield call, place


def _started_value(call: ast.Call, site: Site) -> ast.expr | None:
    args = keyword(call, "args")
    if not isinstance(args, ast.Tuple | ast.List) or site.position is None:
        return None
    at = site.position - _STARTING[callee(call)]
    return args.elts[at] if 0 <= at < len(args.elts) else None


def _at(site: Site, before: Step | None) -> Step:
    node = site.value or ast.Constant(None, lineno=site.line, col_offset=0)
    return Step(node, site.place, site, before)
