"""Requests to a run: stop, relaunch, restore its script."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import LARGEST_INT, EngineHere, RunHere
from supervisor.api.schemas import RestoredView, RunView
from supervisor.api.views import run_view
from supervisor.domain.run import Run
from supervisor.engine.engine import Engine
from supervisor.engine.submission import BatchSize, Number

router = APIRouter(prefix="/v1/runs", tags=["requests"])

Grace = Annotated[
    float,
    Field(ge=0, le=3600, allow_inf_nan=False, description="seconds from SIGTERM to SIGKILL", examples=[10]),
    Number,
]
IfAttempt = Annotated[
    int, Field(ge=1, le=LARGEST_INT, description="only if this is the current attempt", examples=[1]), Number
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StopRequest(_Request):
    """How to stop: SIGTERM now, SIGKILL to what is left after `grace_s` seconds."""

    grace_s: Grace | None = None
    if_attempt: IfAttempt | None = None


class RelaunchRequest(_Request):
    """A new attempt now, with `batch_size` where one is given, else with the script as it is."""

    batch_size: BatchSize | None = None
    reason: (
        Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$", examples=["loss diverged"])] | None
    ) = None
    if_attempt: IfAttempt | None = None
    grace_s: Grace | None = None


class RestoreRequest(_Request):
    """With `force` even a script that somebody has changed since is replaced."""

    force: Annotated[bool, Field(strict=True)] = False


@router.post(
    "/{reference}/stop", status_code=HTTPStatus.ACCEPTED, operation_id="stop_run", response_model=RunView
)
async def stop(
    run: RunHere, engine: EngineHere, request: Annotated[StopRequest | None, Body()] = None
) -> Response:
    """Stop a run gracefully. May be repeated; a run that has ended stays as it is.

    With `if_attempt` a decision about an attempt that is not the current one any more is refused (409).
    """
    asked = request or StopRequest()
    return _accepted(engine, await engine.stop(run, asked.grace_s, if_attempt=asked.if_attempt))


@router.post(
    "/{reference}/relaunch",
    status_code=HTTPStatus.ACCEPTED,
    operation_id="relaunch_run",
    response_model=RunView,
)
async def relaunch(
    run: RunHere, engine: EngineHere, request: Annotated[RelaunchRequest | None, Body()] = None
) -> Response:
    """Stop the current attempt and begin another, with another batch size or the script as it is now."""
    asked = request or RelaunchRequest()
    changed = await engine.relaunch(
        run,
        batch_size=asked.batch_size,
        reason=asked.reason,
        if_attempt=asked.if_attempt,
        grace_s=asked.grace_s,
    )
    return _accepted(engine, changed)


@router.post("/{reference}/restore", operation_id="restore_script", response_model=RestoredView)
async def restore(
    run: RunHere, engine: EngineHere, request: Annotated[RestoreRequest | None, Body()] = None
) -> Response:
    """Bring back the script as it was before the run, once the run has ended."""
    done = await engine.restore(run, force=request is not None and request.force)
    return json_answer(
        RestoredView(
            script=done.script,
            restored=done.restored,
            digest=done.digest,
            why=done.why,
            size_file=done.size_file,
        )
    )


def _accepted(engine: Engine, run: Run) -> Response:
    return json_answer(run_view(run, engine.config.clock.moment()), HTTPStatus.ACCEPTED)
