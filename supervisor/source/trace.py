"""The literals that a number may come from: what following ends at, read as numbers, factors set aside."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from supervisor.source.names import is_counter, is_factor, words
from supervisor.source.places import Form, Place, Site
from supervisor.source.steps import End, Kind, Search, Step
from supervisor.source.topics import Topic
from supervisor.source.values import callee, identifiers, last_name, reads_environment, unwrap

_PICKING = frozenset({"min", "max", "round", "ceil", "floor", "abs", "float", "eval", "literal_eval", "str"})
_DEEPEST = 12
_MOST_CHOICES = 8
_MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """A literal that a traced expression may have its value from; `scaled` says by what it is worked on."""

    node: ast.expr
    site: Site
    form: str
    value: int | float
    step: Step
    scaled: str = ""


@dataclass(slots=True)
class Trace:
    """All that some expressions may come from.

    `computed`: worked out on the way, or bound to what is not in sight; `unknown`: bound nowhere in the
    script; `unpassed`: a parameter of a function that nobody in the script calls.
    """

    origins: list[Origin] = field(default_factory=list)
    outside: list[End] = field(default_factory=list)
    given: list[Site] = field(default_factory=list)
    computed: bool = False
    unknown: bool = False
    unpassed: bool = False

    @property
    def certain(self) -> bool:
        """Whether the value is what one literal says, but for a factor."""
        return len(self.origins) == 1 and self.settled and not self.outside and not self.given

    @property
    def settled(self) -> bool:
        """Whether nothing on the way is out of sight."""
        return not (self.computed or self.unknown or self.unpassed)

    def add(self, origin: Origin) -> None:
        """File a literal once."""
        if all(item.node is not origin.node for item in self.origins):
            self.origins.append(origin)


def trace(search: Search, topic: Topic, starts: Iterable[Step | Site]) -> Trace:
    """Follow each start's value back to the literals that it may come from."""
    result = Trace()
    tracer = _Tracer(search, topic, result)
    for step in starts:
        tracer.start(step)
    return result


class _Tracer:
    def __init__(self, search: Search, topic: Topic, result: Trace) -> None:
        self._search, self._topic, self._result = search, topic, result
        self._steps = 0

    def start(self, start: Step | Site) -> None:
        if isinstance(start, Step):
            self.follow(start, "", "", 0)
            return
        for end in self._search.end_of(start, None):
            if not _is_none(end):
                self._read(end, "", "", 0)

    def follow(self, step: Step, how: str, scaled: str, depth: int) -> None:
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            self._result.computed = True
            return
        ends = self._search.resolve(step)
        numbers = [end for end in ends if not _is_none(end)]
        for end in numbers or ends:
            self._read(end, how, scaled, depth)

    def _read(self, end: End, how: str, scaled: str, depth: int) -> None:
        result = self._result
        match end.kind:
            case Kind.EXPRESSION:
                self._expression(end.step, how, scaled, depth)
            case Kind.IMPORTED | Kind.FILE | Kind.REQUIRED:
                result.outside.append(end)
            case Kind.GIVEN:
                if end.step.site is not None:
                    result.given.append(end.step.site)
            case Kind.UNPASSED:
                result.unpassed = True
            case Kind.UNBOUND:
                result.unknown = True
            case _:
                result.computed = True

    def _expression(self, step: Step, how: str, scaled: str, depth: int) -> None:
        node, wrapped = unwrap(step.node)
        how = wrapped or how
        value = self._topic.value_of(node)
        if value is not None:
            site = step.site or Site(self._topic.noun, Form.KEYWORD, node, node.lineno, step.place)
            self._result.add(Origin(node, site, how or site.form, value, step, scaled))
        elif node is not step.node:
            self.follow(Step(node, step.place, step.site, step), how, scaled, depth + 1)
        elif isinstance(node, ast.BinOp):
            self._arithmetic(node, step, how, scaled, depth)
        elif isinstance(node, ast.BoolOp):
            self._alternatives(node, step, how, scaled, depth)
        elif isinstance(node, ast.Call):
            self._called(node, step, how, scaled, depth)
        else:
            self._result.computed = True
            for part, place in self._choices(node, step):
                self.follow(Step(part, place, step.site, step), how, scaled, depth + 1)

    def _choices(self, node: ast.expr, step: Step) -> list[tuple[ast.expr, Place]]:
        """The entries of a dict that is read by a key which is not known."""
        if not isinstance(node, ast.Subscript):
            return []
        ends = self._search.resolve(Step(node.value, step.place, None, step))
        dicts = [(end.step.node, end.step.place) for end in ends if isinstance(end.step.node, ast.Dict)]
        values = [(value, place) for item, place in dicts for value in item.values]
        return [item for item in values if self._topic.value_of(item[0]) is not None][:_MOST_CHOICES]

    def _arithmetic(self, node: ast.BinOp, step: Step, how: str, scaled: str, depth: int) -> None:
        """`bs * n_gpus`, `bs // accumulation`: the size is one side, the other is a factor."""
        size = self._size_side(node)
        factor = node.right if size is node.left else node.left
        if size is None:
            self._result.computed = True
            for part in (node.left, node.right):
                if self._topic.value_of(part) is None or isinstance(node.op, ast.Mult):
                    self.follow(Step(part, step.place, step.site, step), how, scaled, depth + 1)
            return
        self._mark_unknown(factor, step)
        note = ast.unparse(factor) if len(ast.dump(factor)) < 400 else "a factor"  # noqa: PLR2004 - to be read
        self.follow(Step(size, step.place, step.site, step), how, scaled or note, depth + 1)

    def _mark_unknown(self, factor: ast.expr, step: Step) -> None:
        """A factor that is bound nowhere leaves the value open, as any other name would."""
        for part in ast.walk(factor):
            if isinstance(part, ast.Name):
                ends = self._search.resolve(Step(part, step.place))
                self._result.unknown |= (
                    any(end.kind is Kind.UNBOUND for end in ends) and part.id not in _BUILT_IN
                )

    def _size_side(self, node: ast.BinOp) -> ast.expr | None:
        if isinstance(node.op, ast.FloorDiv | ast.Div):
            return (
                None if self._topic.value_of(node.left) is not None and not _names(node.right) else node.left
            )
        if not isinstance(node.op, ast.Mult):
            return None
        left, right = _names(node.left), _names(node.right)
        named = [
            part for part, name in ((node.left, left), (node.right, right)) if name and self._sized(part)
        ]
        if len(named) == 1:
            return named[0]
        plain = [
            part for part, name in ((node.left, left), (node.right, right)) if not (name and is_factor(name))
        ]
        if len(plain) == 1:
            return plain[0]
        constant = [part for part in plain if not _grows(part)]
        return constant[0] if len(constant) == 1 else None

    def _sized(self, node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp):
            return self._sized(node.left) or self._sized(node.right)
        inner, _ = unwrap(node)
        return self._topic.is_name(last_name(inner))

    def _alternatives(self, node: ast.BoolOp, step: Step, how: str, scaled: str, depth: int) -> None:
        """`os.getenv("X") or 64`, `args.bs or cfg.bs`: the first that is there."""
        for part in node.values[:-1]:
            if isinstance(node.op, ast.And):
                self._result.computed = True
                continue
            if self._is_empty(part, step):
                continue
            self._result.computed = True
            self.follow(Step(part, step.place, step.site, step), how, scaled, depth + 1)
        self.follow(Step(node.values[-1], step.place, step.site, step), how, scaled, depth + 1)

    def _is_empty(self, part: ast.expr, step: Step) -> bool:
        """Whether a value is certainly absent: None, or a variable of the environment."""
        inner, _ = unwrap(part)
        if (
            isinstance(inner, ast.Call)
            and reads_environment(inner)
            and len(inner.args) == 1
            and not inner.keywords
        ):
            root = next((item for item in ast.walk(inner.func) if isinstance(item, ast.Name)), None)
            ends = self._search.resolve(Step(root, step.place)) if root is not None else []
            return bool(ends) and all(end.kind is Kind.IMPORTED for end in ends)
        return self._search.truth(part, step.place) is False

    def _called(self, node: ast.Call, step: Step, how: str, scaled: str, depth: int) -> None:
        """`min(bs, len(data))` is the size but for a bound; any other call may answer with anything."""
        name = callee(node)
        if name == "int" and node.args:
            self.follow(Step(node.args[0], step.place, step.site, step), how, scaled, depth + 1)
            return
        if name in _PICKING and node.args:
            sized = [part for part in node.args if self._topic.value_of(part) is None]
            sized = [part for part in sized if not _counts(part)]
            chosen = [part for part in sized if self._sized(part)] or sized
            if len(chosen) == 1:
                note = scaled or (f"{name}(…)" if len(node.args) > 1 else "")
                self.follow(Step(chosen[0], step.place, step.site, step), how, note, depth + 1)
                return
        self._result.computed = True
        for part in node.args:
            if isinstance(part, ast.Name | ast.Attribute):
                self.follow(Step(part, step.place, step.site, step), how, scaled, depth + 1)


_BUILT_IN = frozenset({"len", "int", "max", "min", "float", "round", "abs", "sum"})


def _names(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp):
        return "_".join(filter(None, (_names(node.left), _names(node.right))))
    return identifiers(node)


def _grows(node: ast.expr) -> bool:
    """`2 ** epoch`, `(epoch + 1)`: what grows with training, and is no size by itself."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute)]
    return bool(found) and all(isinstance(part, ast.Name) and is_counter(part.id) for part in found)


def _counts(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and (callee(node) in {"len", "size"} or "count" in words(callee(node)))


def _is_none(end: End) -> bool:
    """Whether it is None, or 0, as options say that they are not set."""
    node = end.step.node
    return end.kind is Kind.EXPRESSION and isinstance(node, ast.Constant) and not node.value
