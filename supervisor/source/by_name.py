"""The number by its name: for a script that hands it to nothing in sight, the only literal of such a name."""

import ast
from collections.abc import Sequence

from supervisor.source.answer import Answer, Missing
from supervisor.source.counting import only_counts, unnamed_sizes
from supervisor.source.index import bindings
from supervisor.source.names import Purpose, purpose_of, words
from supervisor.source.outside import external
from supervisor.source.places import Form, Place, Site
from supervisor.source.shapes import only_in_shapes
from supervisor.source.steps import Search, Step
from supervisor.source.stores import only_sometimes
from supervisor.source.telling import doubt, located, uncertain
from supervisor.source.text import SourceText
from supervisor.source.topics import BATCH_SIZE, Topic
from supervisor.source.trace import Origin, trace
from supervisor.source.values import is_read_off_data, size_of, unwrap

_VARIABLES = frozenset({Form.CONSTANT, Form.LOCAL})
_MOST_READS = 12
# Calls that train where they stand.
_TRAINING = (".fit", ".backward(", "GradientTape")


def by_name(text: SourceText, search: Search, topic: Topic, args: Sequence[str]) -> Answer:
    """The answer that names give, marked as such in its words."""
    starts = named_starts(search, topic)
    result = trace(search, topic, starts)
    because = f"the only {topic.noun} in the script"
    if not result.certain:
        marked = [site for site in starts if purpose_of(site.name) is Purpose.TRAINING]
        trained = trace(search, topic, marked)
        if trained.certain:
            result, because = trained, f"the only {topic.noun} in the script whose name speaks of training"
    if result.certain:
        doubtful = _doubtful(text, search, topic, result.origins[0])
        return doubtful or located(text, topic, result.origins, because, "")
    if not result.origins:
        read = result if result.outside else trace(search, topic, _reads(search, topic))
        if read.outside and not read.origins:
            return external(search, read.outside[0], args, topic.noun, ())
        unset = next((site for site in search.found.flags.values() if topic.is_name(site.name)), None)
        if unset is not None:
            option = f"the option {unset.flags[0]} on line {unset.line}"
            why = f"is not set in the script: {option} has no number by default"
            return uncertain(text, topic, [], why, None)
        return Missing(
            f"No {topic.noun} found in the script; write it as a constant such as {topic.example} "
            f"and give it to {topic.consumer}."
        )
    return uncertain(text, topic, result.origins, doubt(result, len(result.origins)), None)


def _doubtful(text: SourceText, search: Search, topic: Topic, origin: Origin) -> Answer | None:
    """The refusal of the only literal of such a name, where its use speaks against it."""
    others = _unnamed(search, topic, origin) if topic is BATCH_SIZE else []
    if _is_dead(search, origin):
        why = "is given to nothing in the script"
    elif _is_sometimes(search, origin):
        why = "may be set here or outside the script"
    elif _is_shape(search, topic, origin):
        why = "is only in the shape of a model"
    elif others:
        why = "is not certain: the constant only counts steps, and what makes batches has another number"
    else:
        return None
    return uncertain(text, topic, [origin, *others], why, None)


def _is_dead(search: Search, origin: Origin) -> bool:
    """Whether a variable is read nowhere in a script that trains by itself: its edit would do nothing."""
    site = origin.site
    if site.form not in _VARIABLES or search.found.loads.get(site.name):
        return False
    return search.found.mentions(*_TRAINING)


def _is_sometimes(search: Search, origin: Origin) -> bool:
    """Whether it is stored into something else's member, and only under a condition that nobody can tell."""
    return origin.site.stored and only_sometimes(search, [origin.site])


def _unnamed(search: Search, topic: Topic, origin: Origin) -> list[Origin]:
    """The numbers that may be the size instead of one by which steps are only counted."""
    sizes = unnamed_sizes(search.found) if origin.site.form in _VARIABLES else []
    if not sizes or not only_counts(search.found, origin.site.name):
        return []
    return trace(search, topic, sizes).origins


def _is_shape(search: Search, topic: Topic, origin: Origin) -> bool:
    """Whether all that reads it is the shape of a model."""
    return topic is BATCH_SIZE and only_in_shapes(search.found, origin.site.name)


def named_starts(search: Search, topic: Topic) -> list[Site]:
    """What is bound to the names of the number, but for evaluation and for functions that nobody calls."""
    found: list[Site] = []
    seen: set[int] = set()
    for site in list(search.found.sites):
        if not topic.is_name(site.name) or not _counts(site, topic) or not search.live(site)[0]:
            continue
        # All bindings of a name count, or one of several would pass for the only one.
        for item in _effective(search, site) if site.form in _VARIABLES else [site]:
            key = id(item.value or item)
            if key not in seen and not _is_data(item) and _says(search, topic, item):
                seen.add(key)
                found.append(item)
    called = [site for site in found if site.form is not Form.PARAMETER or _is_called(search, site)]
    return called if any(site.form is Form.CONSTANT for site in called) else found


def _is_called(search: Search, site: Site) -> bool:
    """Whether anything in the script may call the function that has a parameter."""
    scope = site.place.scope
    around = scope.parent
    made = scope.name == "__init__" and around is not None and around.kind == "class"
    name = around.name if made and around is not None else scope.name
    if made or _is_decorated(scope.node) or purpose_of(name) is Purpose.TRAINING:
        return True
    search.found.ask(name)
    return bool(search.found.loads.get(name) or search.found.reads.get(name) or search.found.calls_to(name))


def _is_decorated(node: ast.AST | None) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and bool(node.decorator_list)


def _counts(site: Site, topic: Topic) -> bool:
    if topic is BATCH_SIZE and site.place.purpose is Purpose.EVALUATION:
        return False
    return site.value is not None or site.form in {Form.IMPORT, Form.OPTION, Form.PARAMETER}


def _says(search: Search, topic: Topic, site: Site) -> bool:
    """Whether a local variable has anything of its own to say: often it holds what was worked out."""
    if site.form is not Form.LOCAL and not (site.form is Form.PARAMETER and site.value is None):
        return True
    result = trace(search, topic, [site])
    return bool(result.origins or result.outside or result.given)


def _effective(search: Search, site: Site) -> list[Site]:
    """The bindings that may still hold: an unconditional last one wins, unless the name is read before it."""
    sites = bindings(search.found, site.name, site.place.scope)
    if len(sites) < 2:  # noqa: PLR2004 - nothing to choose from
        return sites
    sites = [item for item in sites if search.live(item)[0]]
    first, last = sites[0], sites[-1]
    read = any(first.line < line <= last.line for line in search.found.loads.get(last.name, ()))
    return sites if not search.live(last)[1] or last.value is None or read else [last]


def _is_data(site: Site) -> bool:
    """Whether the site speaks of a batch that is at hand and not of the size that was chosen for it."""
    if site.value is None or site.form not in _VARIABLES:
        return False
    if words(site.name) == ("batch",):
        # `batch = next(loader)` is the data itself; only a number under that name is a size.
        return size_of(unwrap(site.value)[0]) is None
    return is_read_off_data(site.value)


def _reads(search: Search, topic: Topic) -> list[Step]:
    """Where the number is read off something, `cfg.batch_size`, though nothing here sets it."""
    members = [*search.found.reads.items(), *search.found.writes.items()]
    steps = [
        Step(node, place)
        for name, reads in members
        if topic.is_name(name) and purpose_of(name) is not Purpose.EVALUATION
        for node, place in reads
        if place.purpose is not Purpose.EVALUATION
    ]
    free = [
        Step(ast.Name(name, ast.Load(), lineno=lines[0], col_offset=0), Place(search.found.module))
        for name, lines in list(search.found.loads.items())
        if lines and topic.is_name(name) and purpose_of(name) is not Purpose.EVALUATION
    ]
    return [*free, *steps][:_MOST_READS]
