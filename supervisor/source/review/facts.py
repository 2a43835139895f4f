"""A script as the rules see it: its statements, imports and calls, collected once for all of them. Pure."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from supervisor.domain.review import Kind
from supervisor.output.records import Record
from supervisor.source.flow import stands_for
from supervisor.source.forms import Form, Place, Site
from supervisor.source.index import Index, bindings, index
from supervisor.source.locate import Located, Uncertain, locate_in
from supervisor.source.review.finding import Machine
from supervisor.source.review.lines import Lines, Span
from supervisor.source.review.printed import WORDS, printed_records
from supervisor.source.review.statements import Statement, live_statements
from supervisor.source.text import SourceText

Answer = Located | Uncertain
Function = ast.FunctionDef | ast.AsyncFunctionDef

_FRAMEWORKS = frozenset(
    {"torch", "tensorflow", "keras", "jax", "transformers", "lightning", "pytorch_lightning", "fastai"}
    | {"sklearn", "xgboost", "lightgbm", "catboost", "ultralytics", "timm", "mxnet", "paddle", "trl"}
)
# These train in PyTorch without a script that names it.
_ON_TORCH = frozenset({"torch", "transformers", "lightning", "pytorch_lightning", "fastai", "timm", "trl"})
# What trains on a GPU, and evaluates there too.
_DEEP = _ON_TORCH | {"tensorflow", "keras"}


@dataclass(frozen=True)
class Facts:
    """What the rules judge by. `modules` and `names` give the first statement that imports each of them.

    `modules` are whole dotted names and their beginnings; `names` what `from … import` takes out of them,
    under the name that it has there. `aliases` maps a name in this script to what it was imported as,
    `origins` to the whole dotted name of it. `functions` are those defined here, methods among them.
    """

    lines: Lines
    found: Index
    located: Answer
    machine: Machine
    args: tuple[str, ...]
    statements: list[Statement]
    kind: Kind | None = None
    kind_evidence: tuple[str, ...] = ()
    modules: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    tries: list[ast.Try] = field(default_factory=list)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)

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

    def near(self, *words: str) -> Iterator[Statement]:
        """The statements on whose own lines one of these lower-case words stands, in any letter case."""
        hits = self.lines.with_words(words)
        position = 0
        for statement in self.statements:
            while position < len(hits) and hits[position] < statement.first:
                position += 1
            if position == len(hits):
                return
            if hits[position] <= statement.last:
                yield statement

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

    def is_builtin(self, name: str, place: Place) -> bool:
        """Whether the name, read there, is bound to nothing in the script."""
        defined = name in self.functions or name in self.classes or name in self.origins
        return not defined and not bindings(self.found, name, place.scope)

    def calls_in(self, *names: str) -> Iterator[tuple[ast.Call, Place, Statement]]:
        """The calls of these names in the order in which they end, each with the statement it is part of."""
        wanted = {id(call): (call, place) for call, place in self.calls(*names)}
        if not wanted:
            return
        lines = {
            line for call, _ in wanted.values() for line in range(call.lineno, (call.end_lineno or 0) + 1)
        }
        for statement in self.statements:
            if lines.isdisjoint(range(statement.first, statement.last + 1)):
                continue
            here = [wanted[id(node)] for node in statement.nodes() if id(node) in wanted]
            here.sort(key=lambda item: (item[0].end_lineno or 0, item[0].end_col_offset or 0))
            yield from ((call, place, statement) for call, place in here)

    @cached_property
    def printed(self) -> frozenset[type[Record]]:
        """The kinds of records among the lines that the script may print."""
        return printed_records(self.near(*WORDS))

    def size_span(self) -> Span | None:
        """Where the batch size is written; None where the command line sets it, or nothing does."""
        places = getattr(self.located, "places", None) or getattr(self.located, "candidates", ())
        return self.lines.span_of_bytes(places[0].start, places[0].end) if places else None


def gather(text: SourceText, machine: Machine, args: tuple[str, ...]) -> Facts:
    """Walk the statements once for what the rules ask for, and the tree once for the batch size."""
    found = index(text.tree)
    facts = Facts(
        lines=Lines(text.source),
        found=found,
        located=locate_in(text, found, args),
        machine=machine,
        args=args,
        statements=live_statements(text.tree),
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
