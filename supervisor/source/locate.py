"""Where a script's batch size stands, or its learning rate, or why that is not certain. Text in, answer out.

The order of evidence: an argument on the command line; then the literal that the training loader's size
is traced back to; then, in a script that hands its size to nothing in sight, the only literal whose name
says that it is one. Where any of these leaves a choice, the answer is `Uncertain`, with the choice.
"""

from collections.abc import Sequence

from supervisor.source.answer import Answer, External, Literal, Located, Missing, Uncertain
from supervisor.source.arguments import Argument, UnclearArgumentError, find_argument
from supervisor.source.by_name import by_name
from supervisor.source.by_use import by_use
from supervisor.source.collecting import no_collecting
from supervisor.source.index import Index
from supervisor.source.names import Purpose, purpose_of
from supervisor.source.options import declares_options
from supervisor.source.rates import rate_uses
from supervisor.source.search import Follower
from supervisor.source.telling import by_argument
from supervisor.source.text import SourceText, UnparsableError
from supervisor.source.topics import BATCH_SIZE, LEARNING_RATE, Topic
from supervisor.source.unseen import unseen
from supervisor.source.uses import uses_of

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


def locate_batch_size(source: bytes, args: Sequence[str] = ()) -> Answer:
    """Find what sets the training batch size of a script launched with `args`. Never raises."""
    return _located(source, args, BATCH_SIZE)


def locate_learning_rate(source: bytes, args: Sequence[str] = ()) -> Answer:
    """Find what sets the learning rate of a script launched with `args`, as a float. Never raises."""
    return _located(source, args, LEARNING_RATE)


def locate_in(text: SourceText, found: Index, args: Sequence[str], topic: Topic = BATCH_SIZE) -> Answer:
    """The same for a script that is parsed and indexed already."""
    found.ask(*(word for word in found.words_with(*topic.stems) if topic.is_name(word)))
    if args:
        found.ask_calls(
            *filter(declares_options, found.words_with("argument", "option", "define_", "add_arg"))
        )
    flags = {flag: _sets(topic, site.name) for flag, site in found.flags.items()}
    try:
        argument = find_argument(args, flags, topic.is_name, topic.noun)
        if argument is not None:
            return _by_argument(topic, argument)
        return _in_script(text, found, args, topic)
    except UnclearArgumentError as error:
        return Uncertain(f"The {topic.noun} is not certain: {error}.")
    except RecursionError:
        return Uncertain(f"The script cannot be searched for a {topic.noun}: it is nested too deeply.")


def _located(source: bytes, args: Sequence[str], topic: Topic) -> Answer:
    with no_collecting():
        # In a function of its own, so that the tree is gone before the collector comes back.
        return _parsed_and_located(source, args, topic)


def _parsed_and_located(source: bytes, args: Sequence[str], topic: Topic) -> Answer:
    try:
        text = SourceText(source)
    except UnparsableError as error:
        return Uncertain(f"The script cannot be searched for a {topic.noun}: {error}.")
    return locate_in(text, Index(text.tree, text.text), args, topic)


def _in_script(text: SourceText, found: Index, args: Sequence[str], topic: Topic) -> Answer:
    uses = uses_of(found) if topic is BATCH_SIZE else rate_uses(found)
    search = Follower(found, args)
    answer = by_use(text, search, topic, uses, args) or by_name(text, search, topic, args)
    if not isinstance(answer, Missing):
        return answer
    return unseen(Follower(found, args), topic, uses) or answer


def _sets(topic: Topic, name: str) -> bool:
    return topic.is_name(name) and purpose_of(name) is not Purpose.EVALUATION


def _by_argument(topic: Topic, argument: Argument) -> Located:
    why = by_argument(topic, argument.flag)
    return Located(topic.as_value(argument.value), (), argument, why, (why,))
