"""How routes answer: a model as JSON, serialised once, with an entity tag where a caller may hold one."""

from http import HTTPStatus

from fastapi import Response
from pydantic import BaseModel

from supervisor.domain.run import Run

_MASK = 2**64 - 1


def json_answer(
    model: BaseModel, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """The model as it is: routes build their answers by type, so nothing is validated again."""
    return Response(model.model_dump_json(), status, headers, "application/json")


def entity_tag(run: Run) -> str:
    """A tag that changes when what is shown of the run does, and not with the mere passing of time.

    It means nothing to the next daemon: a caller that sends it there gets the whole run once more.
    """
    changing = (run.state, run.phase, run.reason, run.detail, run.device_id, run.attempt, run.batch_size)
    shown = (*changing, run.started_at, run.ended_at, run.exit_code, run.observed, run.verdict)
    return f'W/"{hash((run.id, *shown)) & _MASK:016x}"'


def holds(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller already has what this tag names."""
    given = [item.strip() for item in (if_none_match or "").split(",")]
    return "*" in given or tag in given
