"""Events and runs in words for people."""

from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]


def describe(kind: str, data: Json, attempt: int | None) -> str | None:
    """A sentence for an event, or None for one that people need not see."""
    writer = _SENTENCES.get(kind)
    return writer(data, attempt) if writer else None


def size(amount: int | None) -> str:
    """Bytes as GiB or MiB."""
    if amount is None:
        return "-"
    return f"{amount / 2**30:.2f} GiB" if amount >= 2**30 else f"{amount / 2**20:.0f} MiB"


def percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.0%}"


def duration(seconds: float | None) -> str:
    """Seconds as 1h02m, 3m05s or 7.1s."""
    if seconds is None:
        return "-"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def progress(state: Json | None) -> str:
    """`fold 2/5, epoch 1/3, loss 0.412`."""
    if not state:
        return "-"
    parts = [
        f"{name} {state[name]}/{state[names]}"
        for name, names in (("fold", "folds"), ("epoch", "epochs"))
        if state.get(name) is not None and state.get(names) is not None
    ]
    if state.get("loss") is not None:
        parts.append(f"loss {state['loss']:.3f}")
    return ", ".join(parts) or "-"


def _attempt_starting(data: Json, attempt: int | None) -> str:
    if data["stage"] == "follow_up":
        return f"starting the follow-up {data['script']}"
    batch = data["batch_size"] if data["batch_size"] is not None else "unknown"
    return f"attempt {attempt}: batch size {batch} ({data['why']})"


def _which(data: Json, attempt: int | None) -> str:
    return "the follow-up" if data["stage"] == "follow_up" else f"attempt {attempt}"


def _memory(data: Json, attempt: int | None) -> str:
    total = f" of {size(data['total'])}" if data["total"] else ""
    odd = ", which contradicts its own percent" if data["contradiction"] else ""
    return f"attempt {attempt}: printed {size(data['used'])}{total} in use{odd}"


def _verdict(data: Json, attempt: int | None) -> str:
    verdict = data["verdict"]
    return f"attempt {attempt}: verdict {verdict['kind']}: {verdict['why']}"


def _ended(data: Json, attempt: int | None) -> str:
    code = f"exit code {data['exit_code']}" if data["exit_code"] is not None else f"signal {data['signal']}"
    if data["exit_code"] is None and data["signal"] is None:
        code = "how it exited is not known"
    return f"{_which(data, attempt)}: {data['outcome']} ({code})"


def _run_ended(data: Json, _: int | None) -> str:
    detail = f": {data['detail']}" if data["detail"] else ""
    return f"run {data['state']} ({data['reason']}){detail}"


def _edited(data: Json, _: int | None) -> str:
    where = f"line {data['line']} of {data['script']}" if data["line"] else "the arguments"
    return f"changed {where}: {data['old']} -> {data['new']}"


def _reviewed(data: Json, _: int | None) -> str:
    rules = list(dict.fromkeys(item["rule"] for item in data["findings"]))
    more = f" and {len(rules) - 4} more" if len(rules) > 4 else ""  # noqa: PLR2004 - one line
    outcome = "passed" if data["passed"] else "failed"
    return f"review {outcome}: {', '.join(rules[:4])}{more}; `traind review` says how to mend them"


_SENTENCES: dict[str, Callable[[Json, int | None], str]] = {
    "run_queued": lambda data, _: f"queued {data['script']}",
    "script_reviewed": _reviewed,
    "run_starting": lambda data, _: f"got device {data['device']}",
    "attempt_starting": _attempt_starting,
    "attempt_started": lambda data, attempt: f"{_which(data, attempt)}: running as process {data['pid']}",
    "attempt_adopted": lambda data, attempt: f"{_which(data, attempt)}: taken up as process {data['pid']}",
    "memory_reported": _memory,
    "out_of_memory_seen": lambda data, attempt: f"attempt {attempt}: out of memory: {data['line']}",
    "verdict": _verdict,
    "script_edited": _edited,
    "edit_refused": lambda data, _: f"not edited: {data['why']}",
    "attempt_stopping": lambda data, attempt: f"attempt {attempt}: stopping ({data['reason']})",
    "attempt_ended": _ended,
    "device_released": lambda data, _: f"device released after {data['waited_s']:.2f} s",
    "run_stopping": lambda data, _: f"stopping ({data['reason']})",
    "run_ended": _run_ended,
    "warning": lambda data, _: f"warning: {data['text']}",
}
