"""What is written into an object after its making: `cfg.bs = 64`, `cfg["bs"] = 64`, `update(…)`."""

import ast

from supervisor.source.places import Form, Place, Site
from supervisor.source.steps import End, Kind, Search, Step
from supervisor.source.values import callee, last_name, text_of


def latest(search: Search, made: list[End], written: list[Site], step: Step, *, replaces: bool) -> list[End]:
    """The value from the making and what is stored later; a store that always runs replaces all before it."""
    found: list[End] = []
    for site in reversed(written):
        may, certain = search.live(site)
        if not may or _follows(site, step) or _holds(site, step.node):
            continue
        found += search.end_of(site, step)
        near = site.place.scope in {step.place.scope, search.found.module}
        ahead = site.place.scope is step.place.scope and site.line < step.node.lineno
        if certain and (ahead or (replaces and near)) and not reads_itself(site):
            return found
    return [*made, *found]


def only_sometimes(search: Search, written: list[Site]) -> bool:
    """Whether all that is stored hangs on conditions that nobody can tell, so that it may not be stored."""
    live = [site for site in written if search.live(site)[0]]
    return bool(live) and all(
        any(guard.test is not None for guard in site.place.guards) and not search.live(site)[1]
        for site in live
    )


def overwritten(search: Search, owners: set[str], name: str, step: Step, written: list[Site]) -> list[End]:
    """What `args.update(…)`, `set_defaults(**…)` and `setattr(args, key, value)` may make of a member."""
    found: list[End] = []
    for kind in ("update", "set_defaults", "setattr", "merge_from_file", "merge_from_list"):
        for call, place in search.found.calls_to(kind):
            site = Site("", Form.KEYWORD, None, call.lineno, place)
            if any(other.line > site.line and other.place.scope is place.scope for other in written):
                # What is stored after it stands.
                continue
            if _follows(site, step) or not _is_called(search, place) or not search.live(site)[0]:
                continue
            if kind == "setattr" and len(call.args) > 1 and text_of(call.args[1]) is None:
                if last_name(call.args[0]) in owners:
                    found.append(End(Kind.OPAQUE, step))
            elif kind.startswith("merge_from") and _receiver(call) & owners:
                found.append(End(Kind.OPAQUE, step))
            elif kind == "set_defaults" or _receiver(call) & owners:
                found += _from_other(search, call, place, name, step)
    return found


def _is_called(search: Search, place: Place) -> bool:
    """Whether the function around a place, if there is one, is called in the script."""
    scope = place.scope
    if (
        scope.kind != "function"
        or not scope.name
        or (scope.parent is not None and scope.parent.kind == "class")
    ):
        return True
    return any(isinstance(call.func, ast.Name) for call, _ in search.found.calls_to(scope.name))


def _from_other(search: Search, call: ast.Call, place: Place, name: str, step: Step) -> list[End]:
    """The member of that name in what is spread into the object; doubt where that is out of sight."""
    found: list[End] = []
    for part in call.args:
        found += search.member(part, name, Step(part, place, None, step), guess=False)
    for item in call.keywords:
        if item.arg is None:
            found += search.member(item.value, name, Step(item.value, place, None, step), guess=False)
        elif item.arg == name and callee(call) == "update":
            found += search.resolve(Step(item.value, place, None, step))
    return found


def reads_itself(site: Site) -> bool:
    """Whether the stored value is worked out from the member itself, as in `c.bs = c.bs // 2`."""
    value = site.value
    return value is not None and any(
        isinstance(part, ast.Attribute) and part.attr == site.name for part in ast.walk(value)
    )


def _receiver(call: ast.Call) -> set[str]:
    """The names of what a method is called of; `vars(args)` and `args.__dict__` are `args`."""
    node = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(node, ast.Call) and callee(node) == "vars" and node.args:
        node = node.args[0]
    elif isinstance(node, ast.Attribute) and node.attr == "__dict__":
        node = node.value
    return {last_name(node)} - {""} if node is not None else set()


def _holds(site: Site, node: ast.expr) -> bool:
    """Whether the read is part of the stored value, and so comes before the store."""
    value = site.value
    if value is None or value.lineno > node.lineno or (value.end_lineno or value.lineno) < node.lineno:
        return False
    return any(part is node for part in ast.walk(value))


def _follows(site: Site, step: Step) -> bool:
    """Whether a store stands after the read, in the same scope and in no loop with it."""
    if site.place.scope is not step.place.scope or site.line < step.node.lineno:
        return False
    loops = {guard for guard in site.place.guards if guard.loop}
    return site.line > step.node.lineno and not loops & set(step.place.guards)
