"""How the tables are read: the marks « and » stand around the literals of the expected answer."""

from collections.abc import Sequence

from supervisor.source.locate import (
    Answer,
    External,
    Located,
    Missing,
    Uncertain,
    locate_batch_size,
    locate_learning_rate,
)


def plain(marked: str) -> bytes:
    """The script without its marks."""
    return marked.replace("«", "").replace("»", "").encode()


def marks(marked: str) -> list[tuple[int, int, int]]:
    """Of each mark the line, and its first byte and the one after its last in the script without marks."""
    found: list[tuple[int, int, int]] = []
    at, line, start = 0, 1, 0
    for character in marked:
        if character == "«":
            start = at
        elif character == "»":
            found.append((line, start, at))
        else:
            at += len(character.encode())
            line += character == "\n"
    return found


def found_at(answer: Answer) -> list[tuple[int, int, int]]:
    """The same of the literals that an answer would change."""
    assert isinstance(answer, Located), answer
    return [(place.line, place.start, place.end) for place in answer.places]


def assert_found(marked: str, value: float, args: Sequence[str] = (), *, rate: bool = False) -> Located:
    answer = (locate_learning_rate if rate else locate_batch_size)(plain(marked), args)
    assert found_at(answer) == marks(marked)
    assert isinstance(answer, Located)
    assert answer.value == value
    assert all(place.value == value for place in answer.places)
    assert answer.why
    assert answer.chain
    return answer


def assert_refused(marked: str, args: Sequence[str] = ()) -> Uncertain:
    """Refused, with every marked literal among the candidates."""
    answer = locate_batch_size(plain(marked), args)
    assert isinstance(answer, Uncertain), answer
    named = {(place.line, place.start, place.end) for place in answer.candidates}
    assert set(marks(marked)) <= named, answer
    assert all(f"line {line}" in answer.reason for line, _, _ in marks(marked))
    return answer


def assert_outside(
    script: str, path: str | None, kind: str, keys: tuple[str, ...], args: Sequence[str] = ()
) -> External:
    answer = locate_batch_size(script.encode(), args)
    assert isinstance(answer, External), answer
    assert (answer.path, answer.format, answer.keys) == (path, kind, keys)
    assert answer.value is None
    return answer


def assert_none(script: str) -> None:
    answer = locate_batch_size(script.encode())
    assert isinstance(answer, Missing), answer
