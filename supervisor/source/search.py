"""Where the value of an expression comes from: names, attributes, keys, parameters and returns followed back.

The walk is short of a real data flow on purpose: whatever it cannot follow it ends at with the reason, and
the caller then refuses to edit rather than guess.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence

from supervisor.source.arguments import value_given
from supervisor.source.index import Definition, Index, bindings
from supervisor.source.members import member_of, member_values
from supervisor.source.modules import is_framework, speaks_of_settings
from supervisor.source.passing import passed
from supervisor.source.places import Form, Guard, Place, Scope, Site
from supervisor.source.steps import End, Kind, Member, Step
from supervisor.source.truth import Truth
from supervisor.source.values import callee, unwrap

# More steps than any script has between a constant and its loader; the rest counts as not in sight.
_MOST_STEPS = 1500
_DEEPEST = 40
_SAME = frozenset({"deepcopy", "copy", "edict", "EasyDict", "AttrDict", "vars", "asdict"})


class Follower:
    """One search through a script, bounded in steps and in depth."""

    def __init__(self, found: Index, args: Sequence[str] = ()) -> None:
        self.found = found
        self.args = tuple(args)
        self._truth = Truth(self)
        self._active: set[tuple[int, int]] = set()
        self._steps = 0

    def resolve(self, step: Step) -> list[End]:
        """Where the value of an expression comes from; each end once."""
        key = (id(step.node), id(step.place.scope))
        self._steps += 1
        if key in self._active:
            return []
        if self._steps > _MOST_STEPS or len(self._active) > _DEEPEST:
            return [End(Kind.OPAQUE, step)]
        self._active.add(key)
        try:
            return _distinct(self._resolve(step))
        finally:
            self._active.discard(key)

    def member(self, base: ast.expr, name: Member, step: Step, *, guess: bool) -> list[End]:
        """Where a member of a base comes from; with `guess` also by its name alone."""
        key = (id(base), hash((name, guess)))
        self._steps += 1
        if key in self._active:
            return []
        if self._steps > _MOST_STEPS:
            return [End(Kind.OPAQUE, step)]
        self._active.add(key)
        try:
            return member_values(self, base, name, step, guess=guess)
        finally:
            self._active.discard(key)

    def end_of(self, site: Site, before: Step | None) -> list[End]:
        """Where the value of a binding comes from."""
        if site.form is Form.PARAMETER:
            return self._parameter(site, before)
        step = Step(site.value or _nothing(site), site.place, site, before)
        if site.form is Form.IMPORT:
            return [End(Kind.IMPORTED, step, None, ())]
        if site.form is Form.OPTION and site.flags and value_given(self.args, site.flags, self.found.flags):
            return [End(Kind.GIVEN, step)]
        if site.value is None:
            return [End(Kind.REQUIRED if site.form is Form.OPTION else Kind.OPAQUE, step)]
        return self.resolve(step)

    def returned(self, function: Definition, before: Step) -> list[End]:
        """Where the value of a call of the function comes from."""
        found: list[End] = []
        for node, place in self._returns(function):
            if node.value is not None and self._may_run(place):
                found += self.resolve(Step(node.value, place, before.site, before))
        return found

    def truth(self, test: ast.expr, place: Place) -> bool | None:
        """Whether a condition holds in this run; None where the script does not tell."""
        return self._truth.of(test, place)

    def live(self, site: Site) -> tuple[bool, bool]:
        """Whether a site may run at all, and whether it certainly does."""
        certain = True
        for guard in site.place.guards:
            state = self._holds(guard, site.place)
            if state is False:
                return False, False
            certain &= state is True
        return True, certain

    def _may_run(self, place: Place) -> bool:
        return not any(self._holds(guard, place) is False for guard in place.guards)

    def _holds(self, guard: Guard, place: Place) -> bool | None:
        if guard.test is None:
            return None
        value = self.truth(guard.test, Place(place.scope))
        return None if value is None else value is guard.branch

    def _resolve(self, step: Step) -> list[End]:
        node = step.node
        if isinstance(node, ast.Name):
            return self._name(node, step)
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.resolve(Step(node.value, step.place, step.site, step.before))
        if isinstance(node, ast.IfExp):
            return self._choice(node, step)
        if isinstance(node, ast.Call) and unwrap(node)[0] is not node:
            return [End(Kind.EXPRESSION, step)]
        member = member_of(node)
        if member is not None:
            return self.member(*member, step, guess=True)
        if isinstance(node, ast.Call):
            return self._call(node, step)
        if isinstance(node, ast.Subscript):
            return self._by_key(node, step)
        return [End(Kind.EXPRESSION, step)]

    def _by_key(self, node: ast.Subscript, step: Step) -> list[End]:
        """`SIZES[MODEL]`, where the script says what MODEL is."""
        keys = self.resolve(Step(node.slice, step.place, None, step))
        values = {end.step.node.value for end in keys if isinstance(end.step.node, ast.Constant)}
        if len(keys) == 1 and len(values) == 1 and all(end.kind is Kind.EXPRESSION for end in keys):
            key = values.pop()
            if type(key) is str or type(key) is int:
                return self.member(node.value, key, step, guess=False) or [End(Kind.OPAQUE, step)]
        return [End(Kind.EXPRESSION, step)]

    def _choice(self, node: ast.IfExp, step: Step) -> list[End]:
        known = self.truth(node.test, step.place)
        parts = [node.body, node.orelse] if known is None else [node.body if known else node.orelse]
        return [end for part in parts for end in self.resolve(Step(part, step.place, step.site, step))]

    def _call(self, node: ast.Call, step: Step) -> list[End]:
        name = callee(node)
        if name in _SAME and len(node.args) == 1 and not node.keywords:
            return self.resolve(Step(node.args[0], step.place, step.site, step))
        functions = self._functions(node)
        if functions:
            found = self.returned(functions[-1], step)
            if found:
                return found
        return [End(Kind.EXPRESSION, step)]

    def _functions(self, node: ast.Call) -> list[Definition]:
        """The script's own functions that a call may mean: methods where it is made of an object."""
        called = [
            item for item in self.found.defined(callee(node)) if not isinstance(item.node, ast.ClassDef)
        ]
        method = isinstance(node.func, ast.Attribute)
        return [item for item in called if (item.place.scope.kind == "class") is method]

    def _name(self, node: ast.Name, step: Step) -> list[End]:
        sites = self._reaching(node, step)
        found = [end for site in sites for end in self.end_of(site, step)]
        if sites:
            return found
        definitions = self.found.defined(node.id)
        if definitions:
            return [End(Kind.DEFINITION, step, definitions[-1])]
        star = self._star()
        if star is not None and not hasattr(builtins, node.id):
            return [End(Kind.IMPORTED, Step(node, step.place, star, step), None, (node.id,))]
        return [End(Kind.UNBOUND, step)]

    def _star(self) -> Site | None:
        """The wildcard import that a name without a binding most likely comes from."""
        stars = [site for site in self.found.star_imports() if not is_framework(site.owner)]
        settings = [site for site in stars if speaks_of_settings(site.owner)]
        chosen = settings or stars
        return chosen[-1] if chosen else None

    def _parameter(self, site: Site, before: Step | None) -> list[End]:
        scope = site.place.scope
        if site.position == -1 and site.name in {"self", "cls"} and scope.parent is not None:
            for definition in self.found.defined(scope.parent.name):
                if definition.inner.scope is scope.parent:
                    step = Step(
                        ast.Name(site.name, ast.Load(), lineno=site.line, col_offset=0),
                        site.place,
                        site,
                        before,
                    )
                    return [End(Kind.INSTANCE, step, definition)]
        return passed(self, site, before)

    def _reaching(self, node: ast.Name, step: Step) -> list[Site]:
        """The bindings whose value the name may have where it is read."""
        sites = bindings(self.found, node.id, step.place.scope)
        if len(sites) < 2:  # noqa: PLR2004 - nothing to choose from
            return sites
        live = [(site, certain) for site in sites for may, certain in [self.live(site)] if may]
        if step.place.scope is not sites[0].place.scope:
            return self._last_of(live, step.place.scope)
        line, loops = node.lineno, {guard for guard in step.place.guards if guard.loop}
        before = [item for item in live if item[0].line < line]
        around = [site for site, _ in live if site.line >= line and loops & set(site.place.guards)]
        around = [site for site in around if site.value is not node]
        if not before:
            same = [site for site, _ in live if site.line == line and not _is_part(node, site.value)]
            return around or same or [site for site, _ in live]
        found: list[Site] = []
        for site, certain in reversed(before):
            if _excludes(site.place, step.place):
                continue
            found.append(site)
            if certain or set(site.place.guards) <= set(step.place.guards):
                break
        return [*found[::-1], *around]

    def _last_of(self, live: list[tuple[Site, bool]], scope: Scope) -> list[Site]:
        """Of a name read from around a function: the last binding that certainly runs, and later ones."""
        found: list[Site] = []
        for site, certain in reversed(live):
            found.append(site)
            if certain and not self._called_before(scope, site, live[0][0].line):
                break
        return found[::-1]

    def _called_before(self, scope: Scope, site: Site, first: int) -> bool:
        calls = self.found.calls_to(scope.name) if scope.name else []
        return any(
            first < call.lineno <= site.line and place.scope is self.found.module for call, place in calls
        )

    def _returns(self, function: Definition) -> Iterator[tuple[ast.Return, Place]]:
        work = [(function.node, function.place)]
        while work:
            node, place = work.pop()
            for block in self.found.blocks(node, place):
                for part in block.body:
                    if isinstance(part, ast.Return):
                        yield part, block.place
                    elif not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                        work.append((part, block.place))  # type: ignore[arg-type]


def _excludes(site: Place, read: Place) -> bool:
    """Whether the two stand in different branches of one statement."""
    reads = {id(guard.node): guard for guard in read.guards}
    return any(
        guard.test is not None
        and (other := reads.get(id(guard.node))) is not None
        and other.branch is not guard.branch
        for guard in site.guards
    )


def _is_part(node: ast.AST, value: ast.expr | None) -> bool:
    return value is not None and any(part is node for part in ast.walk(value))


def _distinct(ends: list[End]) -> list[End]:
    seen: set[tuple[int, str, tuple[str, ...]]] = set()
    found: list[End] = []
    for end in ends:
        key = (id(end.step.node), end.kind, end.keys)
        if key not in seen or end.kind is Kind.REQUIRED:
            seen.add(key)
            found.append(end)
    return found


def _nothing(site: Site) -> ast.expr:
    return ast.Constant(None, lineno=site.line, col_offset=0, end_lineno=site.line, end_col_offset=0)


def stands_for(found: Index, site: Site) -> list[Site] | None:
    """The bindings that a site's value, a name, attribute or key, may stand for.

    None for any other expression; empty where nothing in the script binds it.
    """
    node = site.value
    if node is None or not (isinstance(node, ast.Name) or member_of(node) is not None):
        return None
    sites: list[Site] = []
    for end in Follower(found).resolve(Step(node, site.place)):
        bound = end.step.site
        name, form = (bound.name, bound.form) if bound is not None else (site.name, site.form)
        if end.kind is Kind.EXPRESSION:
            sites.append(Site(name, form, end.step.node, end.step.node.lineno, end.step.place))
        elif end.kind is not Kind.UNBOUND:
            sites.append(Site(name, form, None, end.step.node.lineno, end.step.place))
    return sites
