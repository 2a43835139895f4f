"""`window-shown`: no window waits to be closed. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.unattended import always_runs
from supervisor.source.values import keyword, text_of

RULE = Rule(
    id="window-shown",
    severity=Severity.WARNING,
    summary="a window that nobody closes",
    looks_for="`plt.show()` without a backend such as Agg, or `cv2.waitKey(0)`, outside of any `if` and "
    "`try`",
    fix='save it instead: plt.savefig("figure.png"), or choose a backend without windows: '
    'matplotlib.use("Agg")',
    why="where there is a display the run stands still until someone closes the window",
)
_WITHOUT_WINDOWS = frozenset({"agg", "pdf", "svg", "ps", "cairo", "template"})


def check(facts: Facts) -> Iterator[Finding]:
    """Only calls that run whenever the script does."""
    quiet = _draws_without_windows(facts)
    for call in facts.calls("show", "waitKey"):
        shown = _shown(facts, call.node, quiet=quiet)
        if shown and always_runs(facts, call.at):
            yield RULE.finding(facts, call.node, found=shown, expected="a file")


def _shown(facts: Facts, call: ast.Call, *, quiet: bool) -> str:
    name = facts.whole_name(call.func)
    if name in {"matplotlib.pyplot.show", "pylab.show"} and not quiet and not call.args:
        return "" if keyword(call, "block") is not None else "plt.show() waits for its window to be closed"
    waits = not call.args or (isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    return "cv2.waitKey(0) waits for a key" if name == "cv2.waitKey" and waits else ""


def _draws_without_windows(facts: Facts) -> bool:
    backends = [call.node.args[0] for call in facts.calls("use", "switch_backend") if call.node.args]
    if any((text_of(item) or "agg").lower() in _WITHOUT_WINDOWS for item in backends):
        return True
    return any(facts.near("mplbackend")) or bool(facts.calls("ion"))
