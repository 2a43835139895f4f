"""Comments that silence findings: `# traind: ignore[rule]` and `# traind: ignore-file[rule]`. Pure.

Comments are told from strings by the tokenizer, which sees only the statements around a line that may
hold one: the whole of a long script would cost it more than all rules together.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding
from supervisor.source.review.lines import Lines, Span
from supervisor.source.review.rules import ignore_unknown, ignore_unused

FILE_LINES = 20
_WORD = "traind:"
_COMMENT = re.compile(
    r"#\s{0,8}traind:\s{0,8}(?P<what>ignore(?:-file)?)(?![\w-])\s{0,8}(?:\[(?P<rules>[^\]\n]*)\])?"
)
_RULE = re.compile(r"[^\s,]+")
_MOST_COMMENTS = 200


@dataclass(frozen=True, slots=True)
class Ignore:
    """One rule that a comment names. `target` is the line that it speaks of, None for the whole file.

    `rule` is empty where the comment names none.
    """

    rule: str
    span: Span
    target: int | None


def silence(facts: Facts, findings: list[Finding], known: frozenset[str]) -> list[Finding]:
    """The findings that no comment silences, and one for each comment that silences nothing."""
    ignores = list(_ignores(facts))
    left = [finding for finding in findings if not any(_covers(item, finding) for item in ignores)]
    for item in ignores:
        if item.rule not in known:
            left.append(ignore_unknown.judge(facts, item.rule, item.span, known))
        elif not any(_covers(item, finding) for finding in findings):
            late = item.target is None and item.span.line > FILE_LINES
            left.append(ignore_unused.judge(facts, item.rule, item.span, late=late))
    return left


def _covers(item: Ignore, finding: Finding) -> bool:
    if item.rule != finding.rule:
        return False
    if item.target is None:
        return item.span.line <= FILE_LINES
    return item.target in {finding.line, finding.end_line}


def _ignores(facts: Facts) -> Iterator[Ignore]:
    lines = facts.lines
    candidates = [line for line in lines.with_words((_WORD,)) if _COMMENT.search(lines[line])]
    seen: dict[tuple[int, int], dict[int, int]] = {}
    for line in candidates[:_MOST_COMMENTS]:
        column = _comment_column(facts, line, seen)
        if column is None:
            continue
        comment = lines[line][column:]
        own_line = not lines[line][:column].strip()
        for match in _COMMENT.finditer(comment):
            target = (
                None if match["what"] == "ignore-file" else _line_below(lines, line) if own_line else line
            )
            whole = Span(line, column + match.start() + 1, line, column + match.end() + 1)
            named = list(_RULE.finditer(match["rules"] or ""))
            if not named:
                yield Ignore("", whole, target)
            for name in named:
                start = column + match.start("rules") + name.start() + 1
                yield Ignore(name[0], Span(line, start, line, start + len(name[0])), target)


def _line_below(lines: Lines, line: int) -> int:
    """The first line of code below a comment on a line of its own."""
    for below in range(line + 1, len(lines.rows) + 1):
        text = lines[below].strip()
        if text and not text.startswith("#"):
            return below
    return line


def _comment_column(facts: Facts, line: int, seen: dict[tuple[int, int], dict[int, int]]) -> int | None:
    """Where the comment of a line begins, from 0; None where it has none. `seen` is kept between calls."""
    around = facts.statements.around(line, len(facts.lines.rows))
    if around not in seen:
        seen[around] = _comments(facts.lines, *around)
    return seen[around].get(line)


def _comments(lines: Lines, first: int, last: int) -> dict[int, int]:
    """The lines of a part of the script that have a comment, each with where it begins."""
    text = lines.own(first, last) + "\n"
    found: dict[int, int] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[first + token.start[0] - 1] = token.start[1]
    except (tokenize.TokenError, SyntaxError):
        # Cut out of its surroundings it does not read on: what was found up to there stands.
        return found
    return found
