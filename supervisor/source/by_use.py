"""The number by its use: what the training loaders, or the optimizers, are given, traced to one answer."""

from collections.abc import Sequence

from supervisor.source.answer import Answer, Located
from supervisor.source.arguments import find_argument
from supervisor.source.by_name import named_starts
from supervisor.source.consumed import takes_made, trains
from supervisor.source.evidence import weight
from supervisor.source.names import Purpose
from supervisor.source.outside import external
from supervisor.source.places import Form, Site
from supervisor.source.shapes import sizes_of_shapes
from supervisor.source.steps import Search, Step
from supervisor.source.telling import by_argument, doubt, located, uncertain
from supervisor.source.text import SourceText
from supervisor.source.topics import BATCH_SIZE, Topic
from supervisor.source.trace import Origin, Trace, trace
from supervisor.source.uses import TRAINING_CALLS, Use

_MOST_USES = 40


def by_use(
    text: SourceText, search: Search, topic: Topic, uses: list[Use], args: Sequence[str]
) -> Answer | None:
    """The answer that the uses give; None where none of them says anything."""
    for rank in (0, 1):
        group = [use for use in uses if use.rank == rank and _runs(search, use)][:_MOST_USES]
        traced = [(use, _traced(search, topic, use)) for use in group]
        if rank:
            traced = [item for item in traced if item[1].origins or item[1].outside or item[1].given]
        traced = _consumed(search, topic, _training(search, topic, _in_sight(traced)))
        if traced:
            return _decided(text, search, topic, traced, args)
    return None


def _runs(search: Search, use: Use) -> bool:
    return search.live(_site(use))[0]


def _traced(search: Search, topic: Topic, use: Use) -> Trace:
    return trace(search, topic, [Step(use.value, use.place, _site(use))])


def _site(use: Use) -> Site:
    return Site(use.name, Form.KEYWORD, use.value, use.line, use.place)


def _in_sight(traced: list[tuple[Use, Trace]]) -> list[tuple[Use, Trace]]:
    """Without the functions that nobody calls, where others have an answer."""
    answered = [item for item in traced if item[1].origins or item[1].outside or item[1].given]
    return answered or [item for item in traced if not item[1].unpassed or item[1].unknown]


def _training(search: Search, topic: Topic, traced: list[tuple[Use, Trace]]) -> list[tuple[Use, Trace]]:
    """The uses that say most about training: by their names, else by how they are made and used."""
    marked = [item for item in traced if item[0].purpose is Purpose.TRAINING]
    if marked or topic is not BATCH_SIZE:
        return marked or traced
    if not _is_choice(traced):
        return traced
    weighed = [(weight(search, use), use, result) for use, result in traced]
    best = [(use, result) for points, use, result in weighed if points > 0]
    return best or [(use, result) for points, use, result in weighed if points >= 0] or traced


def _is_choice(traced: list[tuple[Use, Trace]]) -> bool:
    return len({id(origin.node) for _, result in traced for origin in result.origins}) > 1


def _consumed(search: Search, topic: Topic, traced: list[tuple[Use, Trace]]) -> list[tuple[Use, Trace]]:
    """Without what nothing trains with, where there is a choice and something else does or may."""
    if topic is not BATCH_SIZE or not _is_choice(traced):
        return traced
    kept = [item for item in traced if trains(search, item[0]) is not False]
    return kept or traced


def _decided(
    text: SourceText, search: Search, topic: Topic, traced: list[tuple[Use, Trace]], args: Sequence[str]
) -> Answer:
    use = traced[0][0]
    consumer = f"{use.callee or 'a call'} on line {use.line}"
    start = f"{consumer} is given the {topic.noun}"
    whole = _joined([result for _, result in traced])
    if whole.given and not whole.origins:
        flags = {flag: flag in whole.given[0].flags for flag in search.found.flags}
        argument = find_argument(args, flags, topic.is_name, topic.noun)
        if argument is not None:
            why = by_argument(topic, argument.flag)
            return Located(topic.as_value(argument.value), (), argument, why, (start, why))
    if whole.settled and whole.outside and not whole.origins:
        return external(search, whole.outside[0], args, topic.noun, (start,))
    if whole.settled and not whole.outside and not whole.given and whole.origins:
        found = _in_script(text, search, topic, traced, whole)
        if found is not None:
            return found
    origins = [*whole.origins, *trace(search, topic, named_starts(search, topic)).origins]
    kept: list[Origin] = []
    for origin in origins:
        if all(item.node is not origin.node for item in kept):
            kept.append(origin)
    if whole.origins and whole.settled and not whole.outside:
        kept = whole.origins
    return uncertain(text, topic, kept, doubt(whole, len(whole.origins)), consumer)


def _in_script(
    text: SourceText, search: Search, topic: Topic, traced: list[tuple[Use, Trace]], whole: Trace
) -> Answer | None:
    """The answer for literals of the script alone; None where they are a choice."""
    use = traced[0][0]
    consumer = f"{use.callee or 'a call'} on line {use.line}"
    start = f"{consumer} is given the {topic.noun}"
    fixed = _in_shapes(search, topic, whole)
    if fixed:
        why = "is also in the shape of the model, as a number of its own"
        return uncertain(text, topic, [*whole.origins, *fixed], why, consumer)
    if len(whole.origins) == 1:
        return located(text, topic, whole.origins, f"which {consumer} is given", start)
    if _together(search, traced, whole):
        return located(text, topic, whole.origins, "which a training loader is given", start)
    return None


def _in_shapes(search: Search, topic: Topic, whole: Trace) -> list[Origin]:
    """The same number in a model's shape: there, batches of any other size are an error."""
    if topic is not BATCH_SIZE or len(whole.origins) != 1:
        return []
    origin = whole.origins[0]
    shapes = trace(search, topic, [Step(size, place) for size, place in sizes_of_shapes(search.found)])
    return [
        item for item in shapes.origins if item.node is not origin.node and item.value == origin.value != 1
    ]


def _together(search: Search, traced: list[tuple[Use, Trace]], whole: Trace) -> bool:
    """Whether several training loaders have literals of their own that read the same.

    Beside a call that trains with a size of its own, a loader is one only where training is seen to take it.
    """
    same = len({origin.value for origin in whole.origins}) == 1
    if not same or not all(use.purpose is Purpose.TRAINING and result.certain for use, result in traced):
        return False
    uses = [use for use, _ in traced]
    if not any(use.callee in TRAINING_CALLS for use in uses):
        return True
    return all(trains(search, use) and not takes_made(search, use, uses) for use in uses)


def _joined(results: list[Trace]) -> Trace:
    whole = Trace()
    for result in results:
        for origin in result.origins:
            whole.add(origin)
        whole.outside += result.outside
        whole.given += result.given
        whole.computed |= result.computed
        whole.unknown |= result.unknown
        whole.unpassed |= result.unpassed
    return whole
