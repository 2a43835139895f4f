"""`traind review`: a script judged here, without a daemon; each finding with its line and its fix."""

import io
import json
import tokenize
from pathlib import Path

import typer

from supervisor.cli.errors import USAGE, CommandError
from supervisor.source.file import ScriptError, read_script
from supervisor.source.review import Finding, Kind, Review, Severity, as_dict, review, this_machine

_LONGEST_LINE = 100


def review_script(path: Path, kind: str | None, *, as_json: bool) -> bool:
    """Print the review of a script; whether it passed. Raises `CommandError` for what is no usage."""
    known = _kind(kind)
    try:
        script = read_script(path)
    except ScriptError as error:
        raise CommandError(str(error), USAGE) from error
    found = review(script.data, kind=known, machine=this_machine())
    typer.echo(json.dumps(as_dict(found)) if as_json else _text(path, script.data, found))
    return found.passed


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    try:
        return Kind(name)
    except ValueError as error:
        raise CommandError(f"there is no kind {name!r}; say one of {', '.join(Kind)}", USAGE) from error


def _text(path: Path, data: bytes, found: Review) -> str:
    lines = _lines(data)
    blocks = [_block(path, lines, finding) for finding in found.findings]
    evidence = ", ".join(found.kind_evidence)
    kind = f"{found.kind or 'of no clear kind'}{f' ({evidence})' if evidence else ''}"
    counts = [(severity, sum(item.severity is severity for item in found.findings)) for severity in Severity]
    counted = ", ".join(_counted(number, severity) for severity, number in counts if number)
    size = f", batch size {found.batch_size}" if found.batch_size is not None else ""
    summary = f"{path}: {'passed' if found.passed else 'failed'}, {counted or 'no findings'}; {kind}{size}"
    return "\n\n".join([*blocks, summary])


def _block(path: Path, lines: list[str], finding: Finding) -> str:
    where = f"{path}:{finding.line}" if finding.line else f"{path}"
    parts = [f"{where}: {finding.severity} {finding.rule}: {finding.found}"]
    if finding.line is not None and finding.line <= len(lines):
        parts.append(f"  > {finding.line:>4} | {lines[finding.line - 1][:_LONGEST_LINE]}")
    parts += [f"  expected: {finding.expected}", f"  fix: {finding.fix}", f"  why: {finding.why}"]
    return "\n".join(parts)


def _counted(number: int, severity: Severity) -> str:
    if severity is Severity.INFO:
        return f"{number} for information"
    return f"{number} {severity}{'s' if number > 1 else ''}"


def _lines(data: bytes) -> list[str]:
    """The lines as Python counts them, fit for a terminal."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return ["".join(c if c.isprintable() else " " for c in line) for line in text.split("\n")]
