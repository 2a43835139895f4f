"""The report of a run as short Markdown, for people and agents."""

import html
import re

from supervisor.domain.report import AttemptReport, Report

_LONGEST = 200  # characters of one foreign text
_SHOWN = 20  # attempts; the newest are kept
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#|~!])")


def report_markdown(report: Report) -> str:
    """At most 60 lines. All that came from a script, a path or a name is escaped."""
    run = report.run
    state = f"{run.state}" + (f" ({run.reason})" if run.reason else "")
    lines = [f"# Run {safe(run.spec.name or run.id)}", ""]
    if report.partial:
        lines += ["The run is not over: this report is partial.", ""]
    lines += [f"- state: {state}", f"- script: {safe(run.spec.script)}"]
    if run.detail:
        lines.append(f"- detail: {safe(run.detail)}")
    lines.append(f"- relaunches: {report.relaunches}")
    lines.append(f"- launch to verdict: {_seconds(report.to_verdict_s)}")
    if report.before and report.after:
        before, after = report.before, report.after
        lines.append(f"- launch to corrected run: {_seconds(report.to_corrected_s)}")
        lines.append(
            f"- before, after: batch size {_number(before.batch_size)}, {_number(after.batch_size)};"
            f" memory {_share(before.fraction)}, {_share(after.fraction)}"
        )
    progress = report.progress
    if progress is not None:
        lines.append(f"- fold {_number(progress.fold)} of {_number(progress.folds)}")
        lines.append(f"- epoch {_number(progress.epoch)} of {_number(progress.epochs)}")
    lines += ["", "| attempt | batch | peak | memory | busy | time | outcome | verdict |", "|" + " --- |" * 8]
    lines += [_row(attempt) for attempt in report.attempts[-_SHOWN:]]
    if report.advice:
        lines += ["", *(f"- {advice.code}: {advice.text}" for advice in report.advice)]
    return "\n".join(lines) + "\n"


def safe(text: str) -> str:
    """A foreign text as one inert piece of a Markdown line."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    line = "".join(character if character.isprintable() else " " for character in short)
    return _SPECIAL.sub(r"\\\1", html.escape(line))


def _row(attempt: AttemptReport) -> str:
    peak = f"{attempt.peak / 2**30:.2f} GiB" if attempt.peak is not None else "-"
    cells = [
        f"{attempt.stage} {attempt.number}",
        _number(attempt.batch_size),
        peak,
        _share(attempt.fraction),
        _share(attempt.mean_utilization),
        _seconds(attempt.seconds),
        f"{attempt.outcome}",
        f"{attempt.verdict}" if attempt.verdict else "-",
    ]
    return "| " + " | ".join(cells) + " |"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
