"""The report of a run: JSON for programs, Markdown for agents, a page for people."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import EngineHere, RunHere
from supervisor.api.negotiation import preferred
from supervisor.api.schemas import BudgetView, ProgressView
from supervisor.domain.budget import budget_state
from supervisor.domain.report import Report, SamplePoint, build_report
from supervisor.domain.run import Run
from supervisor.domain.telling import TYPES
from supervisor.engine.engine import Engine
from supervisor.web.report_json import report_dict
from supervisor.web.report_markdown import report_markdown
from supervisor.web.report_page import CONTENT_SECURITY_POLICY, report_page

router = APIRouter(prefix="/v1/runs", tags=["report"])

_JSON, _MARKDOWN, _HTML = "application/json", "text/markdown", "text/html"
_POINTS = 600  # more than a plot can show
_EVENTS = 200  # of each type; scripts print their settings once an attempt


class LaunchView(BaseModel):
    """What was launched; in `args` and `env`, values whose names speak of secrets are masked."""

    script: str
    args: list[str]
    cwd: str
    python: str
    env: dict[str, str]


class AttemptReportView(BaseModel):
    """One attempt in figures."""

    stage: str
    number: int
    batch_size: int | None
    peak: int | None
    fraction: float | None
    mean_utilization: float | None
    peak_utilization: float | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    cpu_s: float | None
    outcome: str
    reason: str | None
    exit_code: int | None
    signal: int | None
    verdict: str | None
    why: str | None


class ArtifactView(BaseModel):
    """A file that the run was to leave: `problem` is a sentence, `size` in bytes, `rows` of a table."""

    path: str
    ok: bool
    problem: str | None
    size: int | None
    rows: int | None


class AdviceView(BaseModel):
    """A piece of advice and the figures that it rests on. Codes may grow."""

    code: str
    text: str
    figures: dict[str, Any]


class ReportView(BaseModel):
    """A run as it went; `partial` while it is not over."""

    id: str
    name: str | None
    state: str
    reason: str | None
    detail: str | None
    partial: bool
    made_at: datetime
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    launch: LaunchView
    budget: BudgetView | None
    attempts: list[AttemptReportView]
    before: AttemptReportView | None
    after: AttemptReportView | None
    relaunches: int
    to_verdict_s: float | None
    to_corrected_s: float | None
    progress: ProgressView | None
    folds_done: int | None
    artifacts: list[ArtifactView]
    advice: list[AdviceView]


@router.get(
    "/{reference}/report",
    operation_id="get_report",
    response_model=ReportView,
    responses={
        200: {
            "description": "The report, in the form that `Accept` asks for",
            "content": {_MARKDOWN: {"schema": {"type": "string"}}, _HTML: {"schema": {"type": "string"}}},
        }
    },
)
async def report(run: RunHere, engine: EngineHere, request: Request) -> Response:
    """Attempts, before against after, and advice. JSON, or `text/markdown` or `text/html` by `Accept`."""
    built = await _build(engine, run)
    form = preferred(request.headers.get("accept"), (_JSON, _MARKDOWN, _HTML))
    if form == _MARKDOWN:
        return Response(report_markdown(built), media_type=f"{_MARKDOWN}; charset=utf-8")
    if form == _HTML:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return Response(report_page(built), headers=headers, media_type=f"{_HTML}; charset=utf-8")
    return json_answer(ReportView.model_validate(report_dict(built)))


async def _build(engine: Engine, run: Run) -> Report:
    rows = await engine.samples(run.id, _POINTS)
    samples = [SamplePoint(row.at, row.used, row.total, row.utilization) for row in rows]
    now = engine.config.clock.moment()
    return build_report(
        run,
        await engine.attempts(run.id),
        samples,
        now.wall,
        budget=budget_state(run, now),
        usage=await engine.attempt_usage(run.id),
        events=await engine.events_of_types(run.id, TYPES, _EVENTS),
    )
