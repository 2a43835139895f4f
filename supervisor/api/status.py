"""One look at everything: `/status`, as text for people with `curl` and as JSON."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel

from supervisor.api.answers import json_answer
from supervisor.api.negotiation import preferred
from supervisor.api.schemas import BriefRunView
from supervisor.api.views import brief_view, fraction_of
from supervisor.domain.run import Run, RunState
from supervisor.engine.engine import Engine

router = APIRouter(tags=["status"])

_ROWS = 20  # with the head, what is left out, and the last line that makes 23
_COLUMNS = 80
_ENDED = [state for state in RunState if state.ended]


class StatusView(BaseModel):
    """The newest runs, live ones first; `next` is the call to make next."""

    live: int
    items: list[BriefRunView]
    next: str


@router.get(
    "/status",
    operation_id="status",
    response_model=StatusView,
    responses={
        200: {
            "description": "At most 24 lines of 80 columns; JSON for `Accept: application/json`",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def status(request: Request) -> Response:
    """A line a run, live ones first; the last line says what to do next."""
    engine: Engine = request.app.state.engine
    runs = await _shown(engine)
    if preferred(request.headers.get("accept"), ("text/plain", "application/json")) == "text/plain":
        return PlainTextResponse(render(runs, live=engine.live))
    now = engine.config.clock.moment()
    items = [brief_view(run, now) for run in runs]
    following = items[0].next if items else "/v1/runs"
    return json_answer(StatusView(live=engine.live, items=items, next=following))


async def _shown(engine: Engine) -> list[Run]:
    live = [item.run for item in engine.live_runs(_ROWS)]
    ended = await engine.runs(_ENDED, limit=_ROWS - len(live)) if len(live) < _ROWS else []
    return live + ended


def render(runs: list[Run], *, live: int) -> str:
    """The status text; the last line says what to do next."""
    lines = [f"traind: {live} live, {len(runs)} shown"]
    lines.append(f"{'ID':<12} {'NAME':<14} {'STATE':<11} {'BATCH':>6} {'MEM':>4} {'PROGRESS':<21} {'ETA':>6}")
    lines += [_row(run) for run in runs]
    if live > len(runs):
        lines.append(f"… and {live - len(runs)} more: traind ps")
    lines.append(_last_line(runs))
    return "\n".join(line[:_COLUMNS].rstrip() for line in lines) + "\n"


def _row(run: Run) -> str:
    state = run.phase if run.phase and run.state is RunState.RUNNING else run.state
    done = run.state.ended and run.reason and run.state is not RunState.SUCCEEDED
    progress = str(run.reason) if done else _progress(run)
    batch = str(run.batch_size) if run.batch_size is not None else "-"
    fraction = fraction_of(run)
    memory = f"{fraction:.0%}" if fraction is not None else "-"
    name = (run.spec.name or run.spec.script.rsplit("/", 1)[-1])[:14]
    if not name.isprintable():
        name = "".join(char if char.isprintable() else "?" for char in name)
    return (
        f"{run.id:<12} {name:<14} {state[:11]:<11} {batch:>6} {memory:>4} {progress[:21]:<21} {_eta(run):>6}"
    )


def _progress(run: Run) -> str:
    progress = run.observed.progress
    if progress is None:
        return "-"
    parts = []
    if progress.fold is not None:
        parts.append(f"fold {progress.fold}/{progress.folds or '?'}")
    if progress.epoch is not None:
        parts.append(f"ep {progress.epoch}/{progress.epochs or '?'}")
    return " ".join(parts) or "-"


def _eta(run: Run) -> str:
    eta = run.observed.eta_s
    if eta is None or run.state.ended:
        return "-"
    minutes, seconds = divmod(round(eta), 60)
    return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"


def _last_line(runs: list[Run]) -> str:
    live = [run for run in runs if not run.state.ended]
    if live:
        return f"next: traind wait {live[0].id} --for finished"
    if runs:
        return f"next: traind report {runs[0].id}"
    return "next: traind submit train.py"
