"""`waits-for-input`: nothing asks for an answer from the keyboard. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.bindings import bindings_of
from supervisor.source.review.facts import Call, Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.unattended import always_runs

RULE = Rule(
    id="waits-for-input",
    severity=Severity.WARNING,
    summary="the script asks for an answer that nobody gives",
    looks_for="`input()`, `getpass()`, `breakpoint()`, `pdb.set_trace()`, `nltk.download()` of nothing "
    "named, outside of "
    "any `if` and `try`",
    fix="take it out, or read the answer from the arguments or the environment",
    why="a run's standard input is /dev/null: the question ends the run with EOFError or BdbQuit",
)
_BUILTIN = ("input", "breakpoint")
_DEBUGGERS = frozenset({"pdb", "ipdb", "pudb"})


def check(facts: Facts) -> Iterator[Finding]:
    """Only calls that run whenever the script does, and that are what their name says."""
    for call in facts.calls(*_BUILTIN, "set_trace", "getpass", "download"):
        asks = _asks(facts, call)
        if asks and always_runs(facts, call.at):
            yield RULE.finding(
                facts, call.node, found=f"{asks} in a run without a keyboard", expected="no question"
            )


def _asks(facts: Facts, call: Call) -> str:
    """What asks, as it is called in full; empty where nothing does."""
    name = facts.whole_name(call.node.func)
    if isinstance(call.node.func, ast.Name) and name in _BUILTIN:
        return "" if bindings_of(facts, name, call.at) else f"{name}()"
    module, _, last = name.rpartition(".")
    if (last == "set_trace" and module in _DEBUGGERS) or name == "getpass.getpass":
        return f"{name}()"
    return f"{name}()" if name == "nltk.download" and not call.node.args and not call.node.keywords else ""
