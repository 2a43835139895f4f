"""The report of a run as short Markdown, for people and agents."""

import html
import re

from supervisor.domain.report import AttemptReport, Report
from supervisor.domain.run import Stage
from supervisor.web.figures import LONGEST, SENTENCE, UNKNOWN, clipped, duration, number, of, share, size

_SHOWN = 15  # attempts, and as many artifacts; of attempts the newest are kept
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#|~!])")
_HEADS = ("attempt", "batch", "peak memory", "memory", "busy", "busiest", "time", "outcome", "verdict")


def report_markdown(report: Report) -> str:
    """At most 60 lines. All that came from a script, a path or a name is escaped."""
    run = report.run
    lines = [f"# Run {safe(run.spec.name or run.id)}", ""]
    if report.partial:
        lines += ["The run is not over: this report is partial.", ""]
    lines += [f"- {line}" for line in _summary(report)]
    lines += ["", _cells(_HEADS), "|" + " --- |" * len(_HEADS)]
    lines += [_row(attempt) for attempt in report.attempts[-_SHOWN:]]
    if report.artifacts:
        lines += ["", *(_artifacts(report))]
    if report.advice:
        lines += ["", *(f"- {advice.code}: {advice.text}" for advice in report.advice)]
    return "\n".join(lines) + "\n"


def safe(text: str, longest: int = LONGEST) -> str:
    """A foreign text as one inert piece of a Markdown line."""
    return _SPECIAL.sub(r"\\\1", html.escape(clipped(text, longest)))


def _summary(report: Report) -> list[str]:
    run, progress = report.run, report.progress
    lines = [f"state: {run.state}" + (f" ({run.reason})" if run.reason else "")]
    lines.append(f"script: {safe(run.spec.script)}")
    if run.detail:
        lines.append(f"detail: {safe(run.detail, SENTENCE)}")
    lines.append(f"relaunches: {report.relaunches}")
    lines.append(f"launch to verdict: {duration(report.to_verdict_s)}")
    if report.before and report.after:
        lines.append(f"launch to corrected run: {duration(report.to_corrected_s)}")
        lines.append(f"before, after: {_change(report.before, report.after)}")
    verdict = _last_verdict(report)
    if verdict is not None:
        lines.append(f"verdict: {verdict}")
    if report.budget is not None:
        left, total = duration(report.budget.remaining_s), duration(report.budget.total_s)
        lines.append(f"budget: {left} left of {total}")
    if progress is not None:
        lines.append(
            f"reached: fold {of(progress.fold, progress.folds)}, epoch {of(progress.epoch, progress.epochs)}"
        )
    if report.folds_done is not None:
        lines.append(f"folds done: {report.folds_done}")
    return lines


def _change(before: AttemptReport, after: AttemptReport) -> str:
    return (
        f"batch size {number(before.batch_size)}, {number(after.batch_size)};"
        f" memory {share(before.fraction)}, {share(after.fraction)};"
        f" busy {share(before.mean_utilization)}, {share(after.mean_utilization)}"
    )


def _last_verdict(report: Report) -> str | None:
    """The sentence of the last training attempt, which may not have one yet."""
    training = [attempt for attempt in report.attempts if attempt.stage is Stage.TRAINING]
    if not training or training[-1].why is None:
        return None
    return f"{training[-1].verdict}, {safe(training[-1].why, SENTENCE)}"


def _artifacts(report: Report) -> list[str]:
    lines = [
        f"- artifact {safe(item.path)}: "
        + ("as wanted" if item.ok else safe(item.problem or "not as wanted"))
        for item in report.artifacts[:_SHOWN]
    ]
    more = len(report.artifacts) - _SHOWN
    return [*lines, f"- and {more} more artifacts"] if more > 0 else lines


def _row(attempt: AttemptReport) -> str:
    return _cells(
        (
            f"{attempt.stage} {attempt.number}",
            number(attempt.batch_size),
            size(attempt.peak),
            share(attempt.fraction),
            share(attempt.mean_utilization),
            share(attempt.peak_utilization),
            duration(attempt.seconds),
            f"{attempt.outcome}",
            f"{attempt.verdict}" if attempt.verdict else UNKNOWN,
        )
    )


def _cells(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
