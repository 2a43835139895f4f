"""A script as the rules see it: statements, imports and calls, collected once for all of them. Pure.

Calls and names are looked up by the lines on which their words stand, so a long script costs little more
than its parsing.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from supervisor.domain.review import Kind
from supervisor.output.records import Record
from supervisor.source.answer import Answer
from supervisor.source.index import index
from supervisor.source.locate import locate_in
from supervisor.source.review.finding import Machine
from supervisor.source.review.lines import Lines, Span
from supervisor.source.review.printed import WORDS, printed_records
from supervisor.source.review.statements import Function, Statement, Statements
from supervisor.source.text import SourceText
from supervisor.source.values import callee

_FRAMEWORKS = frozenset(
    {"torch", "tensorflow", "keras", "jax", "transformers", "lightning", "pytorch_lightning", "fastai"}
    | {"sklearn", "xgboost", "lightgbm", "catboost", "ultralytics", "timm", "mxnet", "paddle", "trl"}
)
# These train in PyTorch without a script that names it.
_ON_TORCH = frozenset({"torch", "transformers", "lightning", "pytorch_lightning", "fastai", "timm", "trl"})
# What trains on a GPU, and evaluates there too.
_DEEP = _ON_TORCH | {"tensorflow", "keras"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and the statement that it is part of."""

    node: ast.Call
    at: Statement


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression that something is bound to, None where it is not in sight, and where that stands."""

    value: ast.expr | None
    at: Statement


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked up before, by the name that was asked for."""

    calls: dict[str, list[Call]] = field(default_factory=dict)
    names: dict[str, dict[int, list[Bound]]] = field(default_factory=dict)
    members: dict[str, list[Bound]] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What the rules judge by. `modules` and `names` give the first line that imports each of them.

    `modules` are whole dotted names and their beginnings; `names` what `from … import` takes out of them,
    under the name that it has there. `aliases` maps a name in this script to what it was imported as,
    `origins` to the whole dotted name of it. `functions` are those defined here, methods among them.
    """

    lines: Lines
    located: Answer
    machine: Machine
    args: tuple[str, ...]
    statements: Statements
    kind: Kind | None = None
    kind_evidence: tuple[str, ...] = ()
    modules: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    tries: list[ast.Try] = field(default_factory=list)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    looked: Looked = field(default_factory=Looked)

    @property
    def trains(self) -> bool:
        """Whether the script imports something that trains models."""
        return not _FRAMEWORKS.isdisjoint(self.modules)

    @property
    def on_torch(self) -> bool:
        return not _ON_TORCH.isdisjoint(self.modules)

    @property
    def deep(self) -> bool:
        """Whether it imports something that trains networks."""
        return not _DEEP.isdisjoint(self.modules)

    def calls(self, *names: str) -> list[Call]:
        """The calls of what has one of these last names, or is imported under another; as they end."""
        wanted = {*names, *(alias for alias, name in self.aliases.items() if name in names)}
        found = [call for name in wanted for call in self._called(name)]
        found.sort(key=lambda call: (call.at.first, call.node.end_lineno or 0, call.node.end_col_offset or 0))
        return found

    def calls_near(self, *words: str) -> Iterator[Call]:
        """The calls in the statements on whose lines one of these words stands."""
        for statement in self.near(*words):
            yield from (Call(node, statement) for node in statement.nodes() if isinstance(node, ast.Call))

    def _called(self, name: str) -> list[Call]:
        found = self.looked.calls.get(name)
        if found is None:
            # Most names that are asked for are nowhere in the script.
            near = self.calls_near(name) if name in self.lines.names else ()
            found = [call for call in near if callee(call.node) == name]
            self.looked.calls[name] = found
        return found

    def called(self, names: Iterable[str]) -> ast.Call | None:
        """The first call in the script of any of these, if there is one."""
        calls = [call.node for call in self.calls(*names)]
        return min(calls, key=lambda call: call.lineno, default=None)

    def near(self, *words: str) -> Iterator[Statement]:
        """The statements on whose own lines one of these words stands, in any letter case."""
        return self.statements.on(self.lines.with_words({word.lower() for word in words}))

    def whole_name(self, node: ast.expr) -> str:
        """The dotted name of an expression where it was defined: `plt.show` is `matplotlib.pyplot.show`.

        A name that is no import stands for itself; empty where the expression is more than a name.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join((self.origins.get(node.id, node.id), *reversed(parts)))

    @cached_property
    def printed(self) -> frozenset[type[Record]]:
        """The kinds of records among the lines that the script may print."""
        return printed_records(self.lines, self.near(*WORDS))

    def size_span(self) -> Span | None:
        """Where the batch size is written; None where the command line sets it, or nothing does."""
        places = getattr(self.located, "places", None) or getattr(self.located, "candidates", ())
        return self.lines.span_of_bytes(places[0].start, places[0].end) if places else None


def gather(text: SourceText, machine: Machine, args: tuple[str, ...]) -> Facts:
    """Walk the statements once for what the rules ask for."""
    facts = Facts(
        lines=Lines(text.source),
        located=locate_in(text, index(text.tree), args),
        machine=machine,
        args=args,
        statements=Statements(text.tree),
    )
    for statement in facts.statements:
        node = statement.node
        if isinstance(node, ast.Import):
            _add_imports(facts, node)
        elif isinstance(node, ast.ImportFrom):
            _add_names(facts, node)
        elif isinstance(node, ast.Try):
            facts.tries.append(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            facts.functions.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ClassDef):
            facts.classes.add(node.name)
    return facts


def _add_imports(facts: Facts, node: ast.Import) -> None:
    for alias in node.names:
        _add_module(facts, alias.name, node.lineno)
        if alias.asname:
            facts.origins.setdefault(alias.asname, alias.name)
        else:
            top = alias.name.partition(".")[0]
            facts.origins.setdefault(top, top)


def _add_module(facts: Facts, name: str, line: int) -> None:
    parts = name.split(".")
    for end in range(1, min(len(parts), 8) + 1):
        facts.modules.setdefault(".".join(parts[:end]), line)


def _add_names(facts: Facts, node: ast.ImportFrom) -> None:
    if node.level:
        for alias in node.names:
            facts.origins.setdefault(alias.asname or alias.name, f".{alias.name}")
        return
    module = node.module or ""
    _add_module(facts, module, node.lineno)
    for alias in node.names:
        facts.names.setdefault(alias.name, node.lineno)
        facts.origins.setdefault(alias.asname or alias.name, f"{module}.{alias.name}")
        if alias.asname and alias.asname != alias.name:
            facts.aliases.setdefault(alias.asname, alias.name)
