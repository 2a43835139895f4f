"""What a syntax tree binds, calls and reads, looked up by name and only as far as names are asked for.

A statement is entered when a name that somebody asks for stands on one of its lines, so a long script
costs little more than its parsing. The walk keeps its own stack, so a script nested as deeply as the
parser allows costs no recursion. Code under `if False` and its like is not entered.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from supervisor.source.blocks import Block, blocks_of, heads_of, inside, is_compound
from supervisor.source.forms import FORMS, MEMBERS, Form, Guard, Place, Scope, Site, paired, purpose_within
from supervisor.source.values import callee, identifiers, text_of
from supervisor.source.wordlines import WordLines

# Nodes without anything to find in them; they are half of a tree.
_LEAVES = frozenset({ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.alias}) | frozenset(
    kind for base in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop) for kind in base.__subclasses__()
)
_INNER = frozenset({ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp})
_ASSIGNED = frozenset({ast.Assign, ast.AnnAssign, ast.NamedExpr})
Step = tuple[ast.AST, Place]


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class: its node, where the `def` stands, and the place of its own statements."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    place: Place
    inner: Place


class Index:
    """What has been found so far, of all that was asked for; everything where there is no text to search.

    `loads` holds the lines on which a name is read, `reads` and `writes` the members by their names.
    """

    def __init__(self, tree: ast.Module, text: str | None = None) -> None:
        self.module = Scope("module", "", node=tree)
        self.sites: list[Site] = []
        self.variables: dict[tuple[Scope, str], list[Site]] = defaultdict(list)
        self.members: dict[str, list[Site]] = defaultdict(list)
        self.calls: dict[str, list[tuple[ast.Call, Place]]] = defaultdict(list)
        self.loads: dict[str, list[int]] = defaultdict(list)
        self.definitions: dict[str, list[Definition]] = defaultdict(list)
        self.shared: dict[str, list[Scope]] = defaultdict(list)
        self.reads: dict[str, list[tuple[ast.expr, Place]]] = defaultdict(list)
        self.writes: dict[str, list[tuple[ast.expr, Place]]] = defaultdict(list)
        self.flags: dict[str, Site] = {}
        self.loops: list[ast.For | ast.AsyncFor] = []
        self._root = [Block(tree.body, Place(self.module))]
        self._inside: dict[int, Place] = {}
        self._blocks: dict[int, list[Block]] = {}
        self._entered: set[int] = set()
        self._asked: set[str] = set()
        self._sought: set[str] = set()
        self._text = WordLines(text) if text is not None else None
        self._bound: set[tuple[str, Scope]] = set()
        if text is None:
            self._enter_all()

    def words_with(self, *stems: str) -> set[str]:
        """The words of the script with one of the stems in them, in comments and strings too."""
        return self._text.words_with(stems) if self._text is not None else set()

    def mentions(self, *parts: str) -> bool:
        """Whether the script's text has one of the parts."""
        return self._text is not None and any(part in self._text for part in parts)

    def ask(self, *names: str) -> None:
        """Enter every statement that has one of these names on it."""
        new = [name for name in names if name and name not in self._asked]
        self._asked.update(new)
        # An option's name is written with dashes and read with underscores.
        self._enter_lines(part for name in new for part in (name, name.replace("_", "-")))

    def ask_calls(self, *names: str) -> None:
        """Enter every statement that calls something of one of these names."""
        new = [f"{name}(" for name in names if f"{name}(" not in self._asked and name not in self._asked]
        self._asked.update(new)
        self._enter_lines(new)

    def ask_bindings(self, name: str, scope: Scope) -> None:
        """Enter every statement of that very scope that has the name on it."""
        if self._text is None or name in self._asked or (name, scope) in self._bound:
            return
        self._bound.add((name, scope))
        node = scope.node
        if isinstance(node, ast.Module):
            wanted = set(self._text.lines((name,)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            wanted = set(self._text.lines((name,), node.lineno, node.end_lineno))
        else:
            return
        within: set[int] = set()
        outer: Scope | None = scope
        while outer is not None:
            within.add(id(outer.node))
            outer = outer.parent
        for line in sorted(wanted):
            self._enter_line(line, within)

    def star_imports(self) -> list[Site]:
        """The `from module import *` of the script."""
        self.ask("import")
        return [site for site in self.sites if site.form is Form.IMPORT and site.name == "*"]

    def calls_to(self, name: str) -> list[tuple[ast.Call, Place]]:
        """The calls of that name, in the order of the source."""
        self.ask_calls(name)
        return sorted(self.calls.get(name, ()), key=lambda item: item[0].lineno)

    def members_named(self, name: str) -> list[Site]:
        """The attributes, entries and options of that name, in the order of the source."""
        self.ask(name)
        return sorted(self.members.get(name, ()), key=lambda site: site.line)

    def defined(self, name: str) -> list[Definition]:
        """The functions and classes of that name."""
        if name not in self._asked and name not in self._sought:
            self._sought.add(name)
            self._enter_lines((f"def {name}", f"class {name}"))
        return self.definitions.get(name, [])

    def inner(self, node: ast.stmt, place: Place) -> Place:
        """The place of what stands inside a definition, always the same one; else the node's own."""
        found = self._inside.get(id(node))
        if found is None:
            found = self._inside[id(node)] = inside(node, place)
        return found

    def blocks(self, node: ast.stmt, place: Place) -> list[Block]:
        """The statements inside a statement, in blocks, each with its place."""
        found = self._blocks.get(id(node))
        if found is None:
            found = self._blocks[id(node)] = list(blocks_of(node, place, self.inner(node, place)))
        return found

    def _enter_lines(self, words: Iterable[str]) -> None:
        if self._text is not None:
            for line in sorted(set(self._text.lines(words))):
                self._enter_line(line)

    def _enter_line(self, line: int, within: set[int] | None = None) -> None:
        """Enter the statements on a line, from the outside in; of definitions only those in `within`."""
        blocks = self._root
        while blocks:
            deeper: list[Block] = []
            for block in blocks:
                for node in block.on_line(line):
                    self._enter(node, block.place)
                    if is_compound(node) and (within is None or id(node) in within or not _defines(node)):
                        deeper.extend(self.blocks(node, block.place))
            blocks = deeper

    def _enter_all(self) -> None:
        work = [(node, block.place) for block in self._root for node in block.body][::-1]
        while work:
            node, place = work.pop()
            self._enter(node, place)
            if is_compound(node):
                parts = [(part, block.place) for block in self.blocks(node, place) for part in block.body]
                work.extend(parts[::-1])

    def _enter(self, node: ast.stmt, place: Place) -> None:
        if id(node) in self._entered:
            return
        self._entered.add(id(node))
        kind = type(node)
        if kind in FORMS:
            where = self.inner(node, place)
            for form in FORMS[kind]:
                for site in form(node, where):
                    self._file(site)
        self._remember(node, place)
        if is_compound(node):
            heads: list[Step] = [(part, place) for part in heads_of(node)]
            self._walk(heads[::-1])
        elif kind in _ASSIGNED:
            self._walk(_assigned(node, place)[::-1])
        else:
            self._walk([(part, place) for part in _parts(node)][::-1])

    def _remember(self, node: ast.stmt, place: Place) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.definitions[node.name].append(Definition(node, place, self.inner(node, place)))
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.loops.append(node)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                self.shared[name].append(place.scope)

    def _walk(self, work: list[Step]) -> None:
        """Go through expressions in the order of the source."""
        while work:
            node, place = work.pop()
            if isinstance(node, ast.Name):
                # Read or bound, a name has no parts; most nodes are names, so this comes first.
                if type(node.ctx) is ast.Load:
                    self.loads[node.id].append(node.lineno)
                continue
            kind = type(node)
            where = place
            if kind in _INNER:
                where = replace(place, scope=Scope("function", "", place.scope, node=node))
            for form in FORMS.get(kind, ()):
                for site in form(node, where):
                    self._file(site)
            self._note(node, where)
            work.extend(_pieces(node, where)[::-1])

    def _note(self, node: ast.AST, place: Place) -> None:
        """Remember a call by its name, and where a member is read or written."""
        if isinstance(node, ast.Call):
            self.calls[callee(node)].append((node, place))
            key = text_of(node.args[0]) if node.args and callee(node) == "get" else None
            if key is not None:
                self.reads[key].append((node, place))
        elif isinstance(node, ast.Attribute):
            (self.reads if type(node.ctx) is ast.Load else self.writes)[node.attr].append((node, place))
        elif isinstance(node, ast.Subscript):
            key = text_of(node.slice)
            if key is not None:
                (self.reads if type(node.ctx) is ast.Load else self.writes)[key].append((node, place))

    def _file(self, site: Site) -> None:
        self.sites.append(site)
        if site.form in MEMBERS:
            self.members[site.name].append(site)
        for flag in site.flags if site.form is Form.OPTION else ():
            self.flags[flag] = site
        if site.form not in {Form.ATTRIBUTE, Form.ENTRY, Form.OPTION}:
            self.variables[(site.place.scope, site.name)].append(site)


def index(tree: ast.Module) -> Index:
    """All of a tree at once."""
    return Index(tree)


def bindings(found: Index, name: str, scope: Scope) -> list[Site]:
    """The sites that a name read in a scope may mean: the innermost scope that binds it, as Python looks."""
    found.ask("global", "nonlocal")
    sharing = found.shared.get(name, ())
    start: Scope | None = scope
    while start is not None:
        visible = start is scope or start.kind != "class"
        if visible and not any(item is start for item in sharing):
            found.ask_bindings(name, start)
            sites = list(found.variables.get((start, name), ()))
            if start is found.module:
                # A function that declares it global binds the module's name, whenever it happens to run.
                for other in sharing:
                    found.ask_bindings(name, other)
                    sites += [_maybe(site, start) for site in found.variables.get((other, name), ())]
            if sites:
                return sorted(sites, key=lambda site: site.line)
        start = start.parent
    return []


def _maybe(site: Site, scope: Scope) -> Site:
    guard = Guard(site.place.scope.node or ast.Pass())
    return replace(site, place=replace(site.place, scope=scope, guards=(*site.place.guards, guard)))


def _defines(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _pieces(node: ast.AST, place: Place) -> list[Step]:
    """The parts of an expression, each with where it stands."""
    if isinstance(node, ast.Call):
        return _called(node, place)
    if isinstance(node, ast.Dict):
        return _entries(node, place)
    if isinstance(node, ast.NamedExpr):
        return _assigned(node, place)
    if isinstance(node, ast.IfExp):
        yes, no = Guard(node, node.test), Guard(node, node.test, branch=False)
        body = (node.body, replace(place, guards=(*place.guards, yes)))
        return [(node.test, place), body, (node.orelse, replace(place, guards=(*place.guards, no)))]
    return [(part, place) for part in _parts(node)]


def _called(node: ast.Call, place: Place) -> list[Step]:
    """The parts of a call; what stands under a keyword is for what the keyword says."""
    work: list[Step] = [(part, place) for part in (node.func, *node.args) if type(part) not in _LEAVES]
    named = [item for item in node.keywords if type(item.value) not in _LEAVES]
    return work + [(item.value, _toward(place, item.arg or "")) for item in named]


def _entries(node: ast.Dict, place: Place) -> list[Step]:
    work: list[Step] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is not None and type(key) not in _LEAVES:
            work.append((key, place))
        if type(value) not in _LEAVES:
            name = text_of(key) or ""
            work.append((value, _toward(place, name, name or None)))
    return work


def _parts(node: ast.AST) -> list[ast.AST]:
    parts: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            parts += [part for part in value if isinstance(part, ast.AST) and type(part) not in _LEAVES]
        elif isinstance(value, ast.AST) and type(value) not in _LEAVES:
            parts.append(value)
    return parts


def _toward(place: Place, name: str, owner: str | None = None) -> Place:
    """The place of what is bound to a name; the same one where the name changes nothing."""
    purpose, owner = purpose_within(place, name), place.owner if owner is None else owner
    if purpose is place.purpose and owner == place.owner:
        return place
    return replace(place, purpose=purpose, owner=owner)


def _assigned(node: ast.AST, place: Place) -> list[Step]:
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        return []
    written = node.targets if isinstance(node, ast.Assign) else [node.target]
    work: list[Step] = [(target, place) for target in written]
    if node.value is not None:
        for target, value in paired(written[0], node.value):
            if type(value) not in _LEAVES:
                name = identifiers(target)
                work.append((value, _toward(place, name, name)))
    return work
