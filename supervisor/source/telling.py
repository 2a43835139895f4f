"""What was found, in sentences and with its bytes: literals, the chain that leads to them, doubts."""

import ast
from collections.abc import Iterable

from supervisor.source.answer import Literal, Located, Uncertain
from supervisor.source.steps import Step
from supervisor.source.text import SourceText
from supervisor.source.topics import Topic
from supervisor.source.trace import Origin, Trace
from supervisor.source.values import text_of

MOST_CANDIDATES = 8
_LONGEST = 60


def located(
    text: SourceText, topic: Topic, origins: list[Origin], because: str, start: str
) -> Located | Uncertain:
    """The answer for literals that all read the same number."""
    places: list[Literal] = []
    for origin in origins:
        place = literal(text, topic, origin, because)
        if place is None:
            return Uncertain(
                f"The {topic.noun} on line {origin.node.lineno} is written in a way that cannot be edited; "
                f"write it as a plain number such as {origin.value}."
            )
        places.append(place)
    places.sort(key=lambda place: place.start)
    why = "; ".join(place.why for place in places)
    return Located(places[0].value, tuple(places), None, why, chain_of(origins[0], start))


def by_argument(topic: Topic, flag: str) -> str:
    """Why an argument is the answer."""
    return f"the argument {flag} sets the {topic.noun}, and the command line wins over the script"


def uncertain(
    text: SourceText, topic: Topic, origins: Iterable[Origin], why: str, consumer: str | None
) -> Uncertain:
    """The answer for a choice, or for what is worked out."""
    places = [literal(text, topic, origin, "a place where it may be set") for origin in origins]
    candidates = [place for place in places if place is not None][:MOST_CANDIDATES]
    candidates.sort(key=lambda place: place.start)
    listed = ", ".join(f"{place.name} = {place.value} on line {place.line}" for place in candidates)
    whose = f"The {topic.noun} of {consumer}" if consumer else f"The {topic.noun}"
    shown = f" ({listed})" if listed else ""
    return Uncertain(f"{whose} {why}{shown}; {topic.hint}.", tuple(candidates))


def doubt(result: Trace, count: int) -> str:
    """Why a traced number is not certain."""
    if result.computed or (result.unknown and result.origins):
        return "is worked out while the script runs"
    if result.unknown or result.unpassed or (result.outside and not result.origins):
        return "comes from outside the script"
    if result.outside:
        return "may be set here or outside the script"
    return f"may be set in {count} places"


def literal(text: SourceText, topic: Topic, origin: Origin, because: str) -> Literal | None:
    """The origin's bytes; None where a string's quotes hold more than the number."""
    start, end = text.span(origin.node)
    value = origin.value
    if text_of(origin.node) is not None:
        # Only the digits change, so the quotes must be plain ones around nothing else.
        inner = text.source[start + 1 : end - 1]
        if inner.strip() != inner or topic.value_of(ast.Constant(inner.decode("ascii", "replace"))) != value:
            return None
        start, end = start + 1, end - 1
    name = origin.site.name
    why = f"{origin.form} {name} on line {origin.node.lineno}, {because}"
    if origin.scaled:
        why += f" after it is worked on with {origin.scaled}"
    return Literal(origin.node.lineno, start, end, value, name, origin.form, why)


def chain_of(origin: Origin, start: str) -> tuple[str, ...]:
    """A sentence for each step, from the use to the literal."""
    steps: list[Step] = []
    step: Step | None = origin.step
    while step is not None:
        steps.append(step)
        step = step.before
    told = [start] if start else []
    for item in reversed(steps):
        if item.site is None:
            continue
        sentence = f"{item.site.name} is {shown(item.node)} on line {item.site.line} ({item.site.form})"
        if sentence not in told:
            told.append(sentence)
    if origin.scaled:
        told.append(f"it is worked on with {origin.scaled} on the way")
    last = f"the literal is {shown(origin.node)} on line {origin.node.lineno}"
    return (*told, last)


def shown(node: ast.expr) -> str:
    """An expression in the words of the script, cut where it is long."""
    try:
        text = ast.unparse(node)
    except (ValueError, RecursionError):
        return "an expression"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
