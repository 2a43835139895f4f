"""A review as text: each finding as compilers write it, with the source line and what is marked in it."""

from pathlib import Path

from supervisor.source.review import Finding, Lines, Review, Severity

_WIDTH = 100
_BEFORE = 40


def review_text(path: Path, data: bytes, found: Review) -> str:
    """The findings of the script that `data` is, and a summary as the last line."""
    lines = Lines(data)
    blocks = [_block(path, lines, finding) for finding in found.findings]
    evidence = ", ".join(found.kind_evidence)
    kind = f"{found.kind or 'of no clear kind'}{f' ({evidence})' if evidence else ''}"
    counts = [(severity, sum(item.severity is severity for item in found.findings)) for severity in Severity]
    counted = ", ".join(_counted(number, severity) for severity, number in counts if number)
    size = f", batch size {found.batch_size}" if found.batch_size is not None else ""
    summary = f"{path}: {'passed' if found.passed else 'failed'}, {counted or 'no findings'}; {kind}{size}"
    return "\n\n".join([*blocks, summary])


def _block(path: Path, lines: Lines, finding: Finding) -> str:
    places = (str(item) for item in (path, finding.line, finding.column) if item is not None)
    parts = [f"{':'.join(places)}: {finding.severity}[{finding.rule}] {finding.found}"]
    if finding.line is not None and lines[finding.line].strip():
        parts += _marked(lines, finding, finding.line)
    parts += [f"  expected: {finding.expected}", f"  fix: {finding.fix}", f"  why: {finding.why}"]
    return "\n".join(parts)


def _marked(lines: Lines, finding: Finding, line: int) -> list[str]:
    """The line, and under it carets from the first marked character to the last one on it."""
    row = "".join(character if character.isprintable() else " " for character in lines[line])
    start = (finding.column or 1) - 1
    end = finding.end_column - 1 if finding.end_column and finding.end_line == line else len(row.rstrip())
    # Of a very long line the part around the mark is shown.
    left = max(0, start - _BEFORE) if len(row) > _WIDTH else 0
    gutter = f"{line:>6} | "
    shown = [gutter + row[left : left + _WIDTH]]
    if finding.column is not None:
        carets = "^" * max(1, min(end, left + _WIDTH) - start)
        # A wide character takes two places on a terminal, a combining one none.
        shown.append(" " * (len(gutter) - 2) + "| " + " " * _cells(row[left:start]) + carets)
    return shown


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _counted(number: int, severity: Severity) -> str:
    if severity is Severity.INFO:
        return f"{number} for information"
    return f"{number} {severity}{'s' if number > 1 else ''}"
