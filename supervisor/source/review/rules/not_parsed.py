"""`not-parsed`: the script is Python of this version. Pure."""

from supervisor.source.review.finding import Finding, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.text import UnparsableError

RULE = Rule(
    id="not-parsed",
    severity=Severity.ERROR,
    summary="the script cannot be read as Python",
    looks_for="a syntax error, Python 2, a notebook, bytes that are no text; only a warning where it is "
    "too long "
    "(over 512 KiB) or too deep to be read",
    fix="mend the line that is named",
    why="a script that cannot be read can neither be reviewed nor have its batch size corrected",
)
_EXPECTED = "a Python script that can be read"
_PYTHON_2 = ("Missing parentheses in call to", "multiple exception types must be parenthesized")
_NOTEBOOK_HEAD = 4096


def judge_error(error: UnparsableError, data: bytes) -> Finding:
    """An error where it is no Python; a warning where it is too long or too deep to be read here."""
    broken = isinstance(error.__cause__, SyntaxError | ValueError)
    fix = RULE.fix if error.line else "give the training script, saved as UTF-8"
    if any(words in str(error) for words in _PYTHON_2):
        fix = "it reads like Python 2: translate it to Python 3, such as with 2to3"
    severity = Severity.ERROR if broken else Severity.WARNING
    line = error.line if error.line and error.line <= data.count(b"\n") + data.count(b"\r") + 1 else None
    return _finding(str(error), fix, severity, line)


def judge_notebook(data: bytes) -> Finding | None:
    """A notebook is JSON, which often happens to be Python too; None for anything else."""
    head = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:_NOTEBOOK_HEAD]
    if not head.startswith(b"{") or b'"cells"' not in data or b'"nbformat"' not in data:
        return None
    fix = "save its code as a script: jupyter nbconvert --to script NOTEBOOK, and review that"
    return _finding("it is a notebook, not a script", fix, Severity.ERROR, None)


def _finding(found: str, fix: str, severity: Severity, line: int | None) -> Finding:
    return Finding(RULE.id, severity, line, found, _EXPECTED, fix, RULE.why)
