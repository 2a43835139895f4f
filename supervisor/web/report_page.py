"""The report of a run as one page: no script, no external file, plots as inline SVG. Pure."""

from collections.abc import Iterable, Sequence
from html import escape

from supervisor.domain.budget import BudgetState
from supervisor.domain.report import AttemptReport, Report
from supervisor.domain.run import RunState, Stage
from supervisor.domain.secrets import masked_args
from supervisor.web.figures import SENTENCE, UNKNOWN, clipped, duration, number, of, share, size
from supervisor.web.report_plot import Axis, Mark, plot
from supervisor.web.report_style import style_sheet

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_SHOWN = 50  # attempts and artifacts, the newest and the first
_HEADS = (
    "attempt",
    "batch size",
    "peak memory",
    "of device",
    "busy, mean",
    "busy, peak",
    "time",
    "outcome",
    "verdict",
)
_BAD = frozenset({RunState.FAILED, RunState.LOST})


def report_page(report: Report) -> str:
    """The whole page. All that came from a script, a path or a name is escaped."""
    title = _safe(report.run.spec.name or report.run.id)
    sections = (
        _heading(report, title),
        _tiles(report),
        _advice(report),
        _change(report),
        _attempts(report.attempts[-_SHOWN:]),
        _plots(report),
        _artifacts(report),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style_sheet()}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def _heading(report: Report, title: str) -> str:
    run, spec = report.run, report.run.spec
    kind = "failed" if run.state in _BAD else "good" if run.state is RunState.SUCCEEDED else ""
    reason = f" ({run.reason.replace('_', ' ')})" if run.reason else ""
    command = " ".join([spec.script, *masked_args(spec.args)])
    lines = [
        f"<h1>{title}</h1>",
        f'<p><span class="state {kind}">{run.state}</span>{reason}</p>',
        f"<p>{_safe(run.detail, SENTENCE)}</p>" if run.detail else "",
        f'<p class="note">run {_safe(run.id)}: {_safe(command)}</p>',
        "<p>The run is not over: this report is partial.</p>" if report.partial else "",
    ]
    return f"<header>{''.join(lines)}</header>"


def _tiles(report: Report) -> str:
    run, progress = report.run, report.progress
    told = [
        ("launch to verdict", duration(report.to_verdict_s)),
        ("launch to corrected run", duration(report.to_corrected_s)) if report.before else None,
        ("relaunches", str(report.relaunches)),
        ("fold reached", of(progress.fold, progress.folds)) if progress and progress.fold else None,
        ("folds done", str(report.folds_done)) if report.folds_done is not None else None,
        ("epoch reached", of(progress.epoch, progress.epochs)) if progress and progress.epoch else None,
        ("budget left", _budget(report.budget)) if report.budget else None,
        ("time from submission", duration((run.ended_at or report.made_at) - run.created_at)),
    ]
    tiles = "".join(
        f'<div class="tile"><dt>{item[0]}</dt><dd>{_safe(item[1])}</dd></div>' for item in told if item
    )
    return f'<dl class="tiles">{tiles}</dl>'


def _budget(budget: BudgetState) -> str:
    return f"{duration(budget.remaining_s)} of {duration(budget.total_s)}"


def _advice(report: Report) -> str:
    items = "".join(f"<li>{_safe(advice.text, SENTENCE)}</li>" for advice in report.advice)
    return f"<h2>Advice</h2><ul>{items}</ul>" if items else ""


def _change(report: Report) -> str:
    before, after = report.before, report.after
    if before is None or after is None:
        return ""
    rows = (
        ("attempt", str(before.number), str(after.number)),
        ("batch size", number(before.batch_size), number(after.batch_size)),
        ("peak memory", size(before.peak), size(after.peak)),
        ("of device", share(before.fraction), share(after.fraction)),
        ("busy, mean", share(before.mean_utilization), share(after.mean_utilization)),
        ("busy, peak", share(before.peak_utilization), share(after.peak_utilization)),
    )
    heads = ("", "before", "after")
    return f"<h2>Before and after</h2>{_table(heads, rows, figures=range(1, 3))}"


def _attempts(attempts: Sequence[AttemptReport]) -> str:
    if not attempts:
        return "<h2>Attempts</h2><p>None was launched.</p>"
    sentences = "".join(
        f"<li>{_name(attempt)}: {attempt.verdict}: {_safe(attempt.why, SENTENCE)}</li>"
        for attempt in attempts
        if attempt.why
    )
    verdicts = f"<h3>Verdicts</h3><ul>{sentences}</ul>" if sentences else ""
    rows = [_attempt_cells(attempt) for attempt in attempts]
    return f"<h2>Attempts</h2>{_table(_HEADS, rows, figures=range(1, 7), prose=(7,), cards=True)}{verdicts}"


def _attempt_cells(attempt: AttemptReport) -> tuple[str, ...]:
    reason = f" ({attempt.reason})" if attempt.reason and attempt.reason != attempt.outcome else ""
    return (
        _name(attempt),
        number(attempt.batch_size),
        size(attempt.peak),
        share(attempt.fraction),
        share(attempt.mean_utilization),
        share(attempt.peak_utilization),
        duration(attempt.seconds),
        f"{attempt.outcome}{reason}".replace("_", " "),
        f"{attempt.verdict}".replace("_", " ") if attempt.verdict else UNKNOWN,
    )


def _plots(report: Report) -> str:
    memory = [(p.at, p.used / p.total) for p in report.samples if p.used is not None and p.total]
    busy = [(p.at, p.utilization) for p in report.samples if p.utilization is not None]
    launched = [(a, a.started_at) for a in report.attempts if a.started_at is not None]
    axis = _axis(report, [at for _, at in launched])
    marks = [Mark(at, _mark_label(attempt)) for attempt, at in launched[1:]]
    policy = report.run.spec.checkpoint
    bounds = [
        (policy.max_fraction, f"max {policy.max_fraction:.0%}"),
        (policy.min_fraction, f"min {policy.min_fraction:.0%}"),
    ]
    legend = "; ".join(_legend(attempt, at - axis.start) for attempt, at in launched[1:])
    note = f'<p class="note">{_safe(legend, 2000)}</p>' if legend else ""
    return (
        "<h2>Use of the device</h2>"
        f"{plot(memory, axis, line='memory', caption='Memory, % of the device', marks=marks, bounds=bounds)}"
        f"{plot(busy, axis, line='busy', caption='Utilisation, % of the time', marks=marks)}"
        f"{note}"
    )


def _axis(report: Report, launches: Sequence[float]) -> Axis:
    moments = [point.at for point in report.samples]
    ends = [attempt.ended_at for attempt in report.attempts if attempt.ended_at is not None]
    start = min([*launches, *moments[:1]], default=report.made_at)
    return Axis(start, max([*ends, *moments[-1:]], default=start))


def _artifacts(report: Report) -> str:
    if not report.artifacts:
        return ""
    rows = [
        (
            item.path,
            size(item.size),
            number(item.rows),
            "as wanted" if item.ok else item.problem or "not as wanted",
        )
        for item in report.artifacts[:_SHOWN]
    ]
    table = _table(("path", "size", "rows", "found"), rows, figures=range(1, 3), prose=(0, 3), cards=True)
    return f"<h2>Artifacts</h2>{table}"


def _table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    figures: range,
    prose: Sequence[int] = (),
    cards: bool = False,
) -> str:
    """`figures` are columns of numbers, flush right, `prose` those that may wrap.

    On a telephone each row of `cards` is a card.
    """
    kinds = ["figure" if n in figures else "prose" if n in prose else "name" for n in range(len(heads))]
    head = "".join(f'<th class="{kind}">{_safe(text)}</th>' for kind, text in zip(kinds, heads, strict=True))
    body = "".join(_table_row(heads, kinds, row) for row in rows)
    table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table class="{"cards" if cards else "plain"}">{table}</table></div>'


def _table_row(heads: Sequence[str], kinds: Sequence[str], row: Sequence[str]) -> str:
    cells = zip(heads, kinds, row, strict=True)
    inner = "".join(
        f'<td class="{kind}" data-head="{escape(head)}">{_safe(cell)}</td>' for head, kind, cell in cells
    )
    return f"<tr>{inner}</tr>"


def _name(attempt: AttemptReport) -> str:
    return "follow-up" if attempt.stage is Stage.FOLLOW_UP else f"attempt {attempt.number}"


def _legend(attempt: AttemptReport, after_s: float) -> str:
    sized = f" with batch size {attempt.batch_size}" if attempt.batch_size is not None else ""
    return f"{_mark_label(attempt)}: {_name(attempt)}, launched after {duration(after_s)}{sized}"


def _mark_label(attempt: AttemptReport) -> str:
    return "F" if attempt.stage is Stage.FOLLOW_UP else f"#{attempt.number}"


def _safe(text: str, longest: int = 200) -> str:
    return escape(clipped(text, longest))
