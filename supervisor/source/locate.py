"""Where a script's batch size stands, or why that is not certain. Text in, answer out.

The order of evidence: an argument on the command line; then the literal that the training loader's size
is traced back to; then, in a script that hands its size to nothing in sight, the only literal whose name
says that it is one. Where any of these leaves a choice, the answer is `Uncertain`, with the choice.
"""

from collections.abc import Sequence

from supervisor.source.answer import Answer, External, Literal, Located, Missing, Uncertain
from supervisor.source.arguments import UnclearArgumentError, find_argument
from supervisor.source.flow import Origin, Trace, effective, trace
from supervisor.source.forms import Form, Site
from supervisor.source.index import Index, Use, bindings, index
from supervisor.source.names import Purpose, is_batch_size, words
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.values import is_read_off_data, size_of, text_of, unwrap

__all__ = [
    "Answer",
    "External",
    "Literal",
    "Located",
    "Missing",
    "Uncertain",
    "locate_batch_size",
    "locate_in",
    "locate_learning_rate",
]

_MOST_CANDIDATES = 8
_VARIABLES = frozenset({Form.CONSTANT, Form.LOCAL})


def locate_batch_size(source: bytes, args: Sequence[str] = ()) -> Answer:
    """Find what sets the training batch size of a script launched with `args`. Never raises."""
    try:
        text = SourceText(source)
    except UnparsableError as error:
        return Uncertain(f"The script cannot be searched for a batch size: {error}.")
    return locate_in(text, index(text.tree), args)


def locate_learning_rate(source: bytes, args: Sequence[str] = ()) -> Answer:
    """Find what sets the learning rate of a script launched with `args`, as a float. Never raises."""
    del source, args
    return Missing("No learning rate found in the script.")


def locate_in(text: SourceText, found: Index, args: Sequence[str]) -> Answer:
    """The same for a script that is parsed and indexed already."""
    try:
        argument = find_argument(args, found.flags)
    except UnclearArgumentError as error:
        return Uncertain(f"The batch size is not certain: {error}.")
    if argument is not None:
        why = f"the argument {argument.flag} sets the batch size, and the command line wins over the script"
        return Located(argument.value, (), argument, why, (why,))
    return _by_use(text, found) or _by_name(text, found)


def _by_use(text: SourceText, found: Index) -> Answer | None:
    uses = _training_uses(found)
    if not uses:
        return None
    result = trace(found, [Site(use.name, Form.KEYWORD, use.value, use.line, use.place) for use in uses])
    consumer = f"{uses[0].callee or 'a call'} on line {uses[0].line}"
    if result.certain:
        return _located(text, result.origins[0], f"which {consumer} is given")
    return _uncertain(text, result, found, consumer)


def _training_uses(found: Index) -> list[Use]:
    """The uses that say most about training: marked loaders, then other loaders, then other calls."""
    live = [use for use in found.uses if use.place.purpose is not Purpose.EVALUATION]
    for loader in (True, False):
        group = [use for use in live if use.loader is loader]
        marked = [use for use in group if use.place.purpose is Purpose.TRAINING]
        if marked or group:
            return marked or group
    return []


def _by_name(text: SourceText, found: Index) -> Answer:
    result = trace(found, _named_sites(found))
    if result.certain:
        return _located(text, result.origins[0], "the only batch size in the script")
    if not result.origins:
        return Missing(
            "No batch size found in the script; write it as a constant such as BATCH_SIZE = 64 "
            "and give it to the training DataLoader."
        )
    return _uncertain(text, result, found, None)


def _named_sites(found: Index) -> list[Site]:
    sites: list[Site] = []
    for site in found.sites:
        if not is_batch_size(site.name) or site.place.purpose is Purpose.EVALUATION or site.value is None:
            continue
        if site.form in _VARIABLES:
            # All bindings of the name count, or one of several would pass for the only one.
            sites.extend(effective(bindings(found, site.name, site.place.scope), found))
        else:
            sites.append(site)
    return [site for site in sites if not _is_data(site)]


def _is_data(site: Site) -> bool:
    """Whether the site speaks of a batch that is at hand and not of the size that was chosen for it."""
    if site.value is None or site.form not in _VARIABLES:
        return False
    if words(site.name) == ("batch",):
        # `batch = next(loader)` is the data itself; only a number under that name is a size.
        return size_of(unwrap(site.value)[0]) is None
    return is_read_off_data(site.value)


def _located(text: SourceText, origin: Origin, because: str) -> Answer:
    place = _literal(text, origin, because)
    if place is None:
        return Uncertain(
            f"The batch size on line {origin.node.lineno} is written in a way that cannot be edited; "
            f"write it as a plain number such as {origin.value}."
        )
    return Located(place.value, (place,), None, place.why, (place.why,))


def _uncertain(text: SourceText, result: Trace, found: Index, consumer: str | None) -> Uncertain:
    origins = result.origins
    if not origins:
        # Named so that the reader can see them; none of them is known to be what the loader gets.
        origins = trace(found, _named_sites(found)).origins
    places = [_literal(text, origin, "a place where it may be set") for origin in origins[:_MOST_CANDIDATES]]
    candidates = tuple(
        sorted((place for place in places if place is not None), key=lambda place: place.start)
    )
    listed = ", ".join(f"{place.name} = {place.value} on line {place.line}" for place in candidates)
    whose = f"The batch size of {consumer}" if consumer else "The batch size"
    if result.computed or (result.unknown and result.origins):
        why = "is worked out while the script runs"
    elif result.unknown:
        why = "comes from outside the script"
    else:
        why = f"may be set in {len(origins)} places"
    hint = "keep it in one constant such as BATCH_SIZE = 64 and give that to the training DataLoader"
    return Uncertain(f"{whose} {why}{f' ({listed})' if listed else ''}; {hint}.", candidates)


def _literal(text: SourceText, origin: Origin, because: str) -> Literal | None:
    start, end = text.span(origin.node)
    if text_of(origin.node) is not None:
        # Only the digits change, so the quotes must be plain ones around nothing else.
        digits = text.encode(str(origin.value))
        if text.source[start + 1 : end - 1] != digits:
            return None
        start, end = start + 1, end - 1
    name = origin.site.name
    why = f"{origin.form} {name} on line {origin.node.lineno}, {because}"
    return Literal(origin.node.lineno, start, end, origin.value, name, origin.form, why)
