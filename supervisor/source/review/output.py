"""Rules on what a script prints: its resources, the GPU memory in use, its progress. Pure.

The strings of the script are filled in with ones and given to the reader of the logs: what that reads
while training runs is what counts here.
"""

import ast
import re
from collections.abc import Iterator

from supervisor.output.formats import parse
from supervisor.output.records import MemoryUsed, Progress, Record, Resources
from supervisor.source.review.facts import Facts
from supervisor.source.review.finding import Finding, Severity

_PRINTS = ("print", "info", "log", "write", "echo", "debug", "warning")
# These print progress by themselves, each in a way of its own.
_SHOW_PROGRESS = ("tqdm", "trange", "track", "fit", "Trainer", "Seq2SeqTrainer", "SFTTrainer", "train_model")
_PLACEHOLDER = re.compile(r"%[-+ 0-9.]{0,8}[sdfgeir]|\{[^{}]{0,80}\}")
_LONGEST = 500
_MOST_LINES = 5000


def judge_output(facts: Facts) -> Iterator[Finding]:
    """The lines that tell a supervisor, and whoever reads the log, how the run goes.

    Warnings where the script trains with a library that is known, else only for information.
    """
    seen = {type(record) for line in _lines(facts) if (record := _read(line)) is not None}
    severity = Severity.WARNING if facts.trains else Severity.INFO
    if Resources not in seen:
        yield _missing(
            "prints-resources",
            severity,
            "no line of the resources",
            'print(f"RESOURCES: {os.cpu_count()} CPU cores, batch={BATCH_SIZE}, GPU={name}, '
            'Mixed Precision=ON", flush=True) before training',
            "the log then says with what a run was made",
        )
    if MemoryUsed not in seen:
        yield _missing(
            "prints-memory",
            severity,
            "no line of the GPU memory in use",
            'print(f"GPU Memory Used: {used:.1f} GB / {total:.1f} GB ({used / total:.1%})") after the second '
            "step, with used = torch.cuda.max_memory_reserved() / 2**30",
            "the checkpoint compares this figure with the device's own: two sources instead of one",
        )
    if Progress not in seen and facts.called(_SHOW_PROGRESS) is None:
        yield _missing(
            "prints-progress",
            severity,
            "no line of progress",
            'print(f"Fold {fold}/{folds}, Epoch {epoch}/{epochs}, Loss: {loss:.3f}") after each epoch',
            "without it nobody can tell how long the run will still take, nor that training has begun",
        )


def _missing(rule: str, severity: Severity, found: str, fix: str, why: str) -> Finding:
    return Finding(rule, severity, None, found, "a printed line such as in the fix", fix, why)


def _lines(facts: Facts) -> Iterator[str]:
    """Every line that the script's own strings may make."""
    calls = [call for call, _ in facts.calls(*_PRINTS)]
    for call in calls[:_MOST_LINES]:
        yield from " ".join(_filled(item) for item in call.args).splitlines()
    for node in facts.strings[:_MOST_LINES]:
        yield from _filled(node).splitlines()


def _filled(node: ast.expr) -> str:
    """A string with a one for everything that is put into it, and for every other expression."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part) for part in node.values[:_LONGEST])
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PLACEHOLDER.sub(_one, node.value[: 4 * _LONGEST]).replace("%%", "%")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _filled(node.left) if isinstance(node.left, ast.Constant) else "1"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _filled(node.func.value) if isinstance(node.func.value, ast.Constant) else "1"
    return "1"


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    spec = node.format_spec if isinstance(node, ast.FormattedValue) else None
    return "1%" if isinstance(spec, ast.JoinedStr) and _ends_in_percent(spec) else "1"


def _ends_in_percent(spec: ast.JoinedStr) -> bool:
    last = spec.values[-1] if spec.values else None
    return isinstance(last, ast.Constant) and str(last.value).endswith("%")


def _one(match: "re.Match[str]") -> str:
    return "1%" if match[0].endswith("%}") else "1"


def _read(line: str) -> Record | None:
    return parse(line[:_LONGEST])
