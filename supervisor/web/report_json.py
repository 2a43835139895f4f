"""The report of a run as plain JSON values: times RFC 3339 UTC, durations seconds, sizes bytes."""

from dataclasses import asdict
from typing import Any

from supervisor.api.views import moment
from supervisor.domain.budget import BudgetState
from supervisor.domain.progress import Progress
from supervisor.domain.report import AttemptReport, Report
from supervisor.domain.secrets import masked_args, masked_env


def report_dict(report: Report) -> dict[str, Any]:
    """Every figure of the report, fit to show: values whose names speak of secrets are masked."""
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
            "args": masked_args(spec.args),
            "cwd": spec.cwd,
            "python": spec.python,
            "env": masked_env(spec.env),
        },
        "budget": _budget(report.budget),
        "attempts": [_attempt(attempt) for attempt in report.attempts],
        "before": _attempt(report.before) if report.before else None,
        "after": _attempt(report.after) if report.after else None,
        "relaunches": report.relaunches,
        "to_verdict_s": report.to_verdict_s,
        "to_corrected_s": report.to_corrected_s,
        "progress": _progress(report.progress),
        "folds_done": report.folds_done,
        "artifacts": [asdict(artifact) for artifact in report.artifacts],
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


def _budget(budget: BudgetState | None) -> dict[str, Any] | None:
    return {**asdict(budget), "deadline": _time(budget.deadline)} if budget is not None else None


def _progress(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    told = asdict(progress)
    del told["steps"]  # as in a run
    return told


def _time(at: float | None) -> str | None:
    return moment(at).isoformat().replace("+00:00", "Z") if at is not None else None
