"""`login-asked`: no service asks for a login. Pure."""

import ast
from collections.abc import Iterator

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.unattended import always_runs
from supervisor.source.values import keyword

RULE = Rule(
    id="login-asked",
    severity=Severity.INFO,
    summary="a service may ask for a login",
    looks_for="`wandb.init` without `mode`, `wandb.login()` or `huggingface_hub.login()` without a key, "
    "where the script "
    "sets none, outside of any `if` and `try`",
    fix="log in on this machine before, set the key in the run's env, or turn it off: WANDB_MODE=offline, "
    'wandb.init(mode="offline"), huggingface_hub.login(token=…)',
    why="a run has no keyboard: without a stored key the question fails, and with it the run",
)
_KEYS = ("wandb_mode", "wandb_api_key", "wandb_disabled", "hf_token")
_LOGINS = frozenset(
    {"huggingface_hub.login", "huggingface_hub.notebook_login", "huggingface_hub.interpreter_login"}
)


def check(facts: Facts) -> Iterator[Finding]:
    """Told once, for information: whether a key is stored on the machine is not to be seen in the script."""
    if not {"wandb", "huggingface_hub"} & facts.modules.keys() or any(facts.near(*_KEYS)):
        return
    for call in facts.calls("init", "login", "notebook_login", "interpreter_login"):
        name = facts.whole_name(call.node.func)
        if name == "wandb.login" and (call.node.args or call.node.keywords):
            return
        if _asks(name, call.node) and always_runs(facts, call.at):
            yield RULE.finding(
                facts, call.node, found=f"{name}() with no key in sight", expected="a login that is there"
            )
            return


def _asks(name: str, call: ast.Call) -> bool:
    if any(item.arg is None for item in call.keywords):
        return False
    if name == "wandb.init":
        return keyword(call, "mode") is None and keyword(call, "anonymous") is None
    return name == "wandb.login" or (name in _LOGINS and not call.args and keyword(call, "token") is None)
