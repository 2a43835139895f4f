"""On which lines of a text a word stands, by plain searches: quicker than looking at each node of a tree."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

_LINE_END = re.compile(r"\r\n|\r|\n")


class WordLines:
    """A text, and the lines, from 1, on which what is asked for stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lower = ""
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def __contains__(self, part: str) -> bool:
        """Whether the text has that part."""
        return part in self._text

    def lines(self, words: Iterable[str], first: int = 1, last: int | None = None) -> Iterator[int]:
        """The lines from `first` to `last` on which one of the words stands by itself."""
        text, starts = self._text, self._starts
        begin = starts[min(first, len(starts)) - 1]
        end = len(text) if last is None or last >= len(starts) else starts[last]
        for word in dict.fromkeys(words):
            size = len(word)
            at = text.find(word, begin, end)
            while at >= 0:
                if _is_free(text[at - 1 : at]) and (
                    word[-1] == "(" or _is_free(text[at + size : at + size + 1])
                ):
                    yield bisect_right(starts, at)
                at = text.find(word, at + size, end)

    def words_with(self, stems: Iterable[str]) -> set[str]:
        """The words that have one of the stems, which are in lower case, somewhere in them."""
        if not self._lower:
            # Where lower case is longer than upper case, positions no longer agree.
            lower = self._text.lower()
            self._lower = lower if len(lower) == len(self._text) else self._text
        found: set[str] = set()
        for stem in stems:
            at = self._lower.find(stem)
            while at >= 0:
                start, end = at, at + len(stem)
                while start > 0 and not _is_free(self._text[start - 1]):
                    start -= 1
                while end < len(self._text) and not _is_free(self._text[end]):
                    end += 1
                found.add(self._text[start:end])
                at = self._lower.find(stem, end)
        return found


def _is_free(character: str) -> bool:
    return not (character.isalnum() or character == "_")
