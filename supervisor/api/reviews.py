"""The review of a training script, before anything is launched."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from supervisor.api.answers import json_answer
from supervisor.api.dependencies import EngineHere
from supervisor.domain.review import Kind
from supervisor.engine.reviewing import review_script
from supervisor.engine.submission import Text

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])


class ReviewRequest(BaseModel):
    """A script to review. It is read and never run; `kind` is told from the script where it is left out."""

    model_config = ConfigDict(extra="forbid")

    script: Annotated[Text, Field(min_length=1, examples=["/data/train.py"])]
    args: Annotated[tuple[Text, ...], Field(max_length=512)] = ()
    cwd: Text | None = None
    kind: Kind | None = None


class FindingView(BaseModel):
    """What one rule found. Rules may grow: treat those that you do not know as opaque."""

    rule: str
    severity: str
    line: int | None
    found: str
    expected: str
    fix: str
    why: str


class ReviewView(BaseModel):
    """`passed` is false where a finding is an `error`; `kind` is null where it is not clear."""

    script: str
    passed: bool
    kind: str | None
    kind_evidence: list[str]
    batch_size: int | None
    findings: list[FindingView]


@router.post("", operation_id="review_script", response_model=ReviewView)
async def review(request: ReviewRequest, engine: EngineHere) -> Response:
    """Review a script: what in it costs GPU time, each finding with its reason and its fix."""
    path, found = await review_script(
        request.script, request.cwd, kind=request.kind, args=request.args, config=engine.config
    )
    return json_answer(
        ReviewView(
            script=str(path),
            passed=found.passed,
            kind=found.kind,
            kind_evidence=list(found.kind_evidence),
            batch_size=found.batch_size,
            findings=[FindingView.model_validate(item, from_attributes=True) for item in found.findings],
        )
    )
