"""How routes answer: a model as JSON, serialised once, with an entity tag where a caller may hold one."""

import hashlib
from http import HTTPStatus

from fastapi import Response
from pydantic import BaseModel

from supervisor.api.schemas import RunView


def json_answer(
    model: BaseModel, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """The model as it is: routes build their answers by type, so nothing is validated again."""
    return Response(model.model_dump_json(), status, headers, "application/json")


def entity_tag(run: RunView) -> str:
    """A tag that changes when the run does, and not with the mere passing of time."""
    text = run.model_dump_json(exclude={"budget": {"remaining_s"}, "next": {"in_s"}, "wait": True})
    return f'W/"{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"'


def holds(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller already has what this tag names."""
    given = [item.strip() for item in (if_none_match or "").split(",")]
    return "*" in given or tag in given
