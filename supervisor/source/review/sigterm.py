"""What a script does when it gets SIGTERM. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.saving import saves_in
from supervisor.source.values import callee, last_name

_HANDLERS = ("signal", "add_signal_handler", "sigaction")
_NO_HANDLER = frozenset({"SIG_DFL", "SIG_IGN"})
# A handler that does nothing else than these ends the process, or says that it will.
_ENDING = frozenset(
    {"exit", "_exit", "quit", "print", "info", "warning", "error", "debug", "flush", "write", "log"}
)


def sigterm_handler(facts: Facts) -> ast.Call | None:
    """The call that sets a handler of SIGTERM, None where there is none."""
    calls = [call.node for call in facts.calls(*_HANDLERS) if not _is_default(call.node)]
    for call in calls:
        if any(last_name(item) == "SIGTERM" for item in call.args):
            return call
    # `for sig in (SIGINT, SIGTERM): signal.signal(sig, …)` names it elsewhere.
    named = any(_names_sigterm(node) for statement in facts.near("sigterm") for node in statement.nodes())
    variable = [call for call in calls if call.args and isinstance(call.args[0], ast.Name)]
    return variable[0] if named and variable else None


def only_ends(facts: Facts, call: ast.Call, saving: frozenset[str]) -> bool:
    """Whether the handler is seen to end the process without saving, raising or telling anyone."""
    handler = call.args[1] if len(call.args) > 1 else None
    if isinstance(handler, ast.Lambda):
        body: list[ast.AST] = [handler.body]
    elif isinstance(handler, ast.Name) and len(facts.functions.get(handler.id, ())) == 1:
        body = list(facts.functions[handler.id][0].body)
    else:
        return False
    return not saves_in(body, saving) and all(_is_ending(node) for node in _told(body))


def _told(body: list[ast.AST]) -> Iterator[ast.AST]:
    """What could pass the news on: calls, assignments, exceptions."""
    news = (ast.Call, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Global, ast.Nonlocal)
    return (node for part in body for node in ast.walk(part) if isinstance(node, news))


def _is_ending(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        return node.exc is not None and last_name(node.exc) == "SystemExit"
    return isinstance(node, ast.Call) and callee(node) in _ENDING | {"SystemExit"}


def _is_default(call: ast.Call) -> bool:
    return any(last_name(item) in _NO_HANDLER for item in call.args)


def _names_sigterm(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and last_name(node) == "SIGTERM"
