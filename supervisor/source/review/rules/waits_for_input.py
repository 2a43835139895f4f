"""`waits-for-input`: nothing asks for an answer from the keyboard. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.forms import Place
from supervisor.source.review.facts import Facts
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
    for call, place, statement in facts.calls_in(*_BUILTIN, "set_trace", "getpass", "download"):
        asks = _asks(facts, call, place)
        if asks and always_runs(facts, statement):
            yield RULE.finding(
                facts, call, found=f"{asks} in a run without a keyboard", expected="no question"
            )


def _asks(facts: Facts, call: ast.Call, place: Place) -> str:
    """What asks, as it is called in full; empty where nothing does."""
    name = facts.whole_name(call.func)
    if isinstance(call.func, ast.Name) and name in _BUILTIN:
        return f"{name}()" if facts.is_builtin(name, place) else ""
    module, _, last = name.rpartition(".")
    if (last == "set_trace" and module in _DEBUGGERS) or name == "getpass.getpass":
        return f"{name}()"
    return f"{name}()" if name == "nltk.download" and not call.args and not call.keywords else ""
