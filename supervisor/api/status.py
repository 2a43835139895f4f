"""One look at everything: `/status` for people with `curl`, `/healthz` for machines."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from supervisor.api.dependencies import EngineHere
from supervisor.api.views import run_view
from supervisor.domain.run import Run, RunState

router = APIRouter(tags=["status"])

_ROWS = 20  # with the head and the last lines that makes 24
_COLUMNS = 80


@router.get("/healthz", operation_id="health")
async def healthz() -> dict[str, str]:
    """The daemon answers."""
    return {"status": "ok"}


@router.get("/status", operation_id="status", response_class=PlainTextResponse)
async def status(engine: EngineHere, request: Request) -> Response:
    """A line a run, live ones first, at most 24 lines of 80 columns; JSON for `Accept: application/json`."""
    live = await engine.runs(_LIVE, limit=_ROWS)
    ended = await engine.runs(_ENDED, limit=_ROWS - len(live)) if len(live) < _ROWS else []
    runs = live + ended
    if "application/json" in request.headers.get("accept", ""):
        items = [run_view(run).model_dump(mode="json") for run in runs]
        return JSONResponse({"live": engine.live, "items": items})
    return PlainTextResponse(render(runs, live=engine.live))


_LIVE = [state for state in RunState if not state.ended]
_ENDED = [state for state in RunState if state.ended]


def render(runs: list[Run], *, live: int) -> str:
    """The status text; the last line says what to do next."""
    lines = [f"traind: {live} live, {len(runs)} shown"]
    lines.append(f"{'ID':<12} {'NAME':<14} {'STATE':<11} {'BATCH':>6} {'MEM':>4} {'PROGRESS':<21} {'ETA':>6}")
    lines += [_row(run) for run in runs]
    lines.append(_last_line(runs))
    return "\n".join(line[:_COLUMNS].rstrip() for line in lines) + "\n"


def _row(run: Run) -> str:
    state = run.phase if run.phase and run.state is RunState.RUNNING else run.state
    done = run.state.ended and run.reason and run.state is not RunState.SUCCEEDED
    progress = str(run.reason) if done else _progress(run)
    batch = str(run.batch_size) if run.batch_size is not None else "-"
    measured, reported = run.observed.measured, run.observed.reported
    fraction = measured.fraction if measured else (reported.fraction if reported else None)
    memory = f"{fraction:.0%}" if fraction is not None else "-"
    name = (run.spec.name or run.spec.script.rsplit("/", 1)[-1])[:14]
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
        return f"next: traind logs {runs[0].id}"
    return "next: traind submit train.py"
