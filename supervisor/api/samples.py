"""A run's memory and utilisation over time."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import LARGEST_INT, EngineHere, RunHere
from supervisor.api.schemas import SampleList
from supervisor.api.views import sample_views

router = APIRouter(prefix="/v1/runs", tags=["samples"])

_MOST_POINTS = 5000


@router.get("/{reference}/samples", operation_id="list_samples", response_model=SampleList)
async def samples(
    run: RunHere,
    engine: EngineHere,
    points: Annotated[int, Query(ge=1, le=_MOST_POINTS, description="at most so many")] = 300,
    attempt: Annotated[int | None, Query(ge=1, le=LARGEST_INT, description="of this attempt alone")] = None,
) -> Response:
    """At most `points` looks over the whole time: of each stretch the one with the most memory."""
    return json_answer(SampleList(items=sample_views(await engine.samples(run.id, points, attempt))))
