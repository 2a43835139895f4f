"""Numbers that a script uses though it says nothing of their value: these are set elsewhere."""

import ast
from collections.abc import Iterator
from itertools import islice

from supervisor.source.answer import Uncertain
from supervisor.source.names import Purpose, purpose_of, words
from supervisor.source.places import Form, Site
from supervisor.source.steps import Search, Step
from supervisor.source.telling import shown
from supervisor.source.topics import Topic
from supervisor.source.trace import trace
from supervisor.source.uses import Use
from supervisor.source.values import identifiers

_MOST = 24
# Of these names, alone, nobody knows whether a batch is meant or its size.
_LOOSE = frozenset({("batch",), ("bs",), ("bz",), ("bsz",)})
_LOADERS = frozenset({"loader", "dataloader", "iterator", "iter", "sampler"})


def unseen(search: Search, topic: Topic, uses: list[Use]) -> Uncertain | None:
    """The refusal of a script that uses the number and sets it nowhere; None where it does not use one."""
    for start, name, line in islice(_spoken_of(search, topic, uses), _MOST):
        result = trace(search, topic, [start])
        if result.unpassed or result.unknown or (result.computed and isinstance(start, Step)):
            return Uncertain(
                f"The {topic.noun} comes from outside the script: {name} is used on line {line}, and nothing "
                f"in the script says what it is; {topic.hint}."
            )
    return None


def _spoken_of(search: Search, topic: Topic, uses: list[Use]) -> Iterator[tuple[Step | Site, str, int]]:
    """What hands the number over, members of its name that are read, parameters of its name."""
    for use in uses:
        if not isinstance(use.value, ast.Constant) and search.live(_site(use))[0]:
            yield _site(use), shown(use.value), use.line
    for name, reads in list(search.found.reads.items()):
        for node, place in reads if _is_sure(topic, name) else ():
            if place.purpose is not Purpose.EVALUATION and not _is_of_loader(node):
                yield Step(node, place), shown(node), node.lineno
    for site in list(search.found.sites):
        if _is_parameter(search, topic, site):
            yield site, f"the parameter {site.name}", site.line


def _is_parameter(search: Search, topic: Topic, site: Site) -> bool:
    """Whether it is a parameter of the number's name that is read and has no default."""
    named = site.form is Form.PARAMETER and site.value is None and _is_sure(topic, site.name)
    return named and site.place.purpose is not Purpose.EVALUATION and bool(search.found.loads.get(site.name))


def _site(use: Use) -> Site:
    return Site(use.name, Form.KEYWORD, use.value, use.line, use.place)


def _is_sure(topic: Topic, name: str) -> bool:
    return topic.is_name(name) and words(name) not in _LOOSE and purpose_of(name) is not Purpose.EVALUATION


def _is_of_loader(node: ast.expr) -> bool:
    """`loader.batch_size` asks a loader, which somebody made."""
    said = words(identifiers(getattr(node, "value", None)))
    return not _LOADERS.isdisjoint(said) or purpose_of("_".join(said)) is Purpose.EVALUATION
