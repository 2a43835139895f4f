"""A script as the rules see it: parsed once, with its imports, calls and strings at hand. Pure."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from supervisor.domain.review import Kind
from supervisor.source.flow import stands_for
from supervisor.source.forms import Form, Place, Site
from supervisor.source.index import Index, index
from supervisor.source.review.finding import Machine
from supervisor.source.text import SourceText

_FRAMEWORKS = frozenset(
    {"torch", "tensorflow", "keras", "jax", "transformers", "lightning", "pytorch_lightning", "fastai"}
    | {"sklearn", "xgboost", "lightgbm", "catboost", "ultralytics", "timm", "mxnet", "paddle", "trl"}
)
# These train in PyTorch without a script that names it.
_ON_TORCH = frozenset({"torch", "transformers", "lightning", "pytorch_lightning", "fastai", "timm", "trl"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules judge by. `modules` and `names` give the first line that imports each of them.

    `modules` are whole dotted names and their beginnings; `names` what `from … import` takes out of them,
    under the name that it has there. `aliases` maps a name in this script to what it was imported as.
    """

    found: Index
    machine: Machine
    args: tuple[str, ...]
    kind: Kind | None = None
    modules: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    strings: list[ast.Constant | ast.JoinedStr] = field(default_factory=list)
    tries: list[ast.Try] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)

    @property
    def trains(self) -> bool:
        """Whether the script imports something that trains models."""
        return not _FRAMEWORKS.isdisjoint(self.modules)

    @property
    def on_torch(self) -> bool:
        return not _ON_TORCH.isdisjoint(self.modules)

    def calls(self, *names: str) -> list[tuple[ast.Call, Place]]:
        """The calls of what has one of these last names, or is imported under another."""
        wanted = {*names, *(alias for alias, name in self.aliases.items() if name in names)}
        return [item for name in sorted(wanted) for item in self.found.calls.get(name, ())]

    def called(self, names: Iterable[str]) -> ast.Call | None:
        """The first call in the script of any of these, if there is one."""
        calls = [call for call, _ in self.calls(*names)]
        return min(calls, key=lambda call: call.lineno, default=None)

    def stands_for(self, node: ast.expr, place: Place) -> list[Site] | None:
        """The bindings that a name, attribute or key may stand for; None for any other expression."""
        return stands_for(self.found, Site("", Form.KEYWORD, node, node.lineno, place))


def gather(text: SourceText, machine: Machine, args: tuple[str, ...]) -> Facts:
    """Walk the tree for what the index does not hold."""
    facts = Facts(index(text.tree), machine, args)
    # A docstring is printed nowhere, and the parts of an f-string are read with it.
    quiet: set[int] = set()
    for node in ast.walk(text.tree):
        if isinstance(node, ast.Expr):
            quiet.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            quiet.update(map(id, node.values))
            facts.strings.append(node)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and id(node) not in quiet:
                facts.strings.append(node)
        else:
            _take(facts, node)
    return facts


def _take(facts: Facts, node: ast.AST) -> None:
    if isinstance(node, ast.Attribute):
        facts.attributes.add(node.attr)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            _add_module(facts, alias.name, node.lineno)
    elif isinstance(node, ast.ImportFrom):
        _add_names(facts, node)
    elif isinstance(node, ast.Try):
        facts.tries.append(node)


def _add_module(facts: Facts, name: str, line: int) -> None:
    parts = name.split(".")
    for end in range(1, min(len(parts), 8) + 1):
        facts.modules.setdefault(".".join(parts[:end]), line)


def _add_names(facts: Facts, node: ast.ImportFrom) -> None:
    if node.level:
        return
    _add_module(facts, node.module or "", node.lineno)
    for alias in node.names:
        facts.names.setdefault(alias.name, node.lineno)
        if alias.asname and alias.asname != alias.name:
            facts.aliases.setdefault(alias.asname, alias.name)
