"""The report of a run as plain JSON values: times RFC 3339 UTC, durations seconds, sizes bytes."""

from dataclasses import asdict
from typing import Any

from supervisor.api.views import masked, moment
from supervisor.domain.report import AttemptReport, Report


def report_dict(report: Report) -> dict[str, Any]:
    """Every figure of the report; environment values whose names speak of secrets are masked."""
    run, spec = report.run, report.run.spec
    return {
        "id": run.id,
        "name": spec.name,
        "state": run.state.value,
        "reason": run.reason.value if run.reason else None,
        "detail": run.detail,
        "partial": report.partial,
        "made_at": _time(report.made_at),
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "ended_at": _time(run.ended_at),
        "launch": {
            "script": spec.script,
            "args": list(spec.args),
            "cwd": spec.cwd,
            "python": spec.python,
            "env": masked(dict(spec.env)),
        },
        "attempts": [_attempt(attempt) for attempt in report.attempts],
        "before": _attempt(report.before) if report.before else None,
        "after": _attempt(report.after) if report.after else None,
        "relaunches": report.relaunches,
        "to_verdict_s": report.to_verdict_s,
        "to_corrected_s": report.to_corrected_s,
        "progress": asdict(report.progress) if report.progress else None,
        "advice": [
            {"code": advice.code, "text": advice.text, "figures": dict(advice.figures)}
            for advice in report.advice
        ],
    }


def _attempt(attempt: AttemptReport) -> dict[str, Any]:
    return {
        **asdict(attempt),
        "started_at": _time(attempt.started_at),
        "ended_at": _time(attempt.ended_at),
    }


def _time(at: float | None) -> str | None:
    return moment(at).isoformat().replace("+00:00", "Z") if at is not None else None
