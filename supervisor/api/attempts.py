"""A run's attempts."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import LARGEST_INT, EngineHere, RunHere
from supervisor.api.problems import ProblemError
from supervisor.api.schemas import AttemptList, AttemptView
from supervisor.api.views import attempt_view
from supervisor.domain.run import Attempt, Run, Stage
from supervisor.engine.engine import Engine

router = APIRouter(prefix="/v1/runs", tags=["attempts"])


@router.get("/{reference}/attempts", operation_id="list_attempts", response_model=AttemptList)
async def attempts(run: RunHere, engine: EngineHere) -> Response:
    """The run's attempts in order, with their verdicts; the follow-up's last."""
    return json_answer(AttemptList(items=[attempt_view(item) for item in await engine.attempts(run.id)]))


@router.get("/{reference}/attempts/{number}", operation_id="get_attempt", response_model=AttemptView)
async def attempt(
    run: RunHere,
    engine: EngineHere,
    number: Annotated[int, Path(ge=1, le=LARGEST_INT, description="counts from 1", examples=[1])],
    stage: Stage = Stage.TRAINING,
) -> Response:
    """One attempt of the training, or of the follow-up."""
    return json_answer(attempt_view(await find_attempt(engine, run, stage, number)))


async def find_attempt(engine: Engine, run: Run, stage: Stage, number: int) -> Attempt:
    """The attempt with this number; raises `ProblemError`."""
    for item in await engine.attempts(run.id):
        if (item.stage, item.number) == (stage, number):
            return item
    detail = f"run {run.id} has no {stage} attempt {number}; GET /v1/runs/{run.id}/attempts lists them"
    raise ProblemError(HTTPStatus.NOT_FOUND, "attempt_not_found", detail)
