"""The report of a run as one page: no script, no external file, plots as inline SVG."""

from collections.abc import Sequence
from html import escape

from supervisor.domain.report import AttemptReport, Report

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#767676;--plot:#0b5cad}
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#15181c;--line:#9a9a9a;--plot:#79b8ff}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:52rem;
margin:auto;padding:1rem;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse}
td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
svg{width:100%;height:auto}text{fill:var(--ink);font-size:13px}
"""
_HEADS = ("attempt", "batch size", "memory", "busy", "time", "outcome", "verdict")


def report_page(report: Report) -> str:
    """The whole page. All that came from a script, a path or a name is escaped."""
    run = report.run
    title = _safe(run.spec.name or run.id)
    memory = [(p.at, p.used / p.total) for p in report.samples if p.used is not None and p.total]
    busy = [(p.at, p.utilization) for p in report.samples if p.utilization is not None]
    marks = [a.started_at for a in report.attempts[1:] if a.started_at is not None]
    partial = "<p>The run is not over: this report is partial.</p>" if report.partial else ""
    advice = "".join(f"<li>{_safe(item.text)}</li>" for item in report.advice)
    rows = "".join(_row(attempt) for attempt in report.attempts)
    heads = "".join(f"<th>{head}</th>" for head in _HEADS)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{partial}"
        f"<p>{run.state} {run.reason or ''}: {_safe(run.spec.script)}</p><p>{_safe(run.detail or '')}</p>"
        f'<h2>Attempts</h2><div class="wide"><table><tr>{heads}</tr>{rows}</table></div>'
        f"<h2>Memory, % of the device</h2>{_plot(memory, marks, (0.5, 0.9))}"
        f"<h2>Utilisation, %</h2>{_plot(busy, marks, ())}"
        f"<h2>Advice</h2><ul>{advice or '<li>none</li>'}</ul></body></html>\n"
    )


def _row(attempt: AttemptReport) -> str:
    cells = (
        f"{attempt.stage} {attempt.number}",
        "-" if attempt.batch_size is None else str(attempt.batch_size),
        "-" if attempt.fraction is None else f"{attempt.fraction:.0%}",
        "-" if attempt.mean_utilization is None else f"{attempt.mean_utilization:.0%}",
        "-" if attempt.seconds is None else f"{attempt.seconds:.0f} s",
        f"{attempt.outcome}",
        f"{attempt.verdict}" if attempt.verdict else "-",
    )
    return "<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in cells) + "</tr>"


def _plot(points: Sequence[tuple[float, float]], marks: Sequence[float], levels: Sequence[float]) -> str:
    if not points:
        return "<p>No samples.</p>"
    start, span = points[0][0], max(points[-1][0] - points[0][0], 1.0)

    def across(at: float) -> float:
        return 50 + 600 * min(1.0, max(0.0, (at - start) / span))

    def up(share: float) -> float:
        return 170 - 160 * min(1.0, max(0.0, share))

    line = " ".join(f"{across(at):.1f},{up(share):.1f}" for at, share in points)
    parts = [
        f'<line x1="50" x2="650" y1="{up(level):.0f}" y2="{up(level):.0f}" stroke="var(--line)"/>'
        f'<text x="44" y="{up(level) + 4:.0f}" text-anchor="end">{level:.0%}</text>'
        for level in (0.0, *levels, 1.0)
    ]
    parts += [
        f'<line x1="{across(at):.1f}" x2="{across(at):.1f}" y1="10" y2="170" stroke="var(--line)"'
        ' stroke-dasharray="4"/>'
        for at in marks
    ]
    parts.append(f'<polyline points="{line}" fill="none" stroke="var(--plot)" stroke-width="2"/>')
    parts.append('<text x="50" y="190">0 s</text>')
    parts.append(f'<text x="650" y="190" text-anchor="end">{span:.0f} s</text>')
    return f'<svg viewBox="0 0 660 200" role="img">{"".join(parts)}</svg>'


def _safe(text: str) -> str:
    short = text if len(text) <= 200 else text[:199] + "…"  # noqa: PLR2004
    return escape("".join(character if character.isprintable() else " " for character in short))


CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
