"""The review of a training script, before anything is launched."""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from supervisor import __version__
from supervisor.api.answers import json_answer
from supervisor.api.dependencies import EngineHere
from supervisor.api.negotiation import preferred
from supervisor.domain.review import Kind
from supervisor.engine.reviewing import review_script
from supervisor.engine.submission import Text
from supervisor.source.review import SARIF, as_sarif

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])

_JSON = "application/json"


class ReviewRequest(BaseModel):
    """A script to review. It is read and never run; `kind` is told from the script where it is left out."""

    model_config = ConfigDict(extra="forbid")

    script: Annotated[Text, Field(min_length=1, examples=["/data/train.py"])]
    args: Annotated[tuple[Text, ...], Field(max_length=512)] = ()
    cwd: Text | None = None
    kind: Kind | None = None


class FindingView(BaseModel):
    """What one rule found. Rules may grow: treat those that you do not know as opaque.

    Lines and columns count from 1, columns in Unicode code points; `end_column` is behind the last one.
    """

    rule: str
    severity: str
    line: int | None
    found: str
    expected: str
    fix: str
    why: str
    column: int | None
    end_line: int | None
    end_column: int | None


class ReviewView(BaseModel):
    """`passed` is false where a finding is an `error`; `kind` is null where it is not clear."""

    script: str
    passed: bool
    kind: str | None
    kind_evidence: list[str]
    batch_size: int | None
    findings: list[FindingView]


@router.post(
    "",
    operation_id="review_script",
    response_model=ReviewView,
    responses={
        200: {
            "description": "The review, in the form that `Accept` asks for",
            "content": {SARIF: {"schema": {"type": "object"}}},
        }
    },
)
async def review(body: ReviewRequest, engine: EngineHere, request: Request) -> Response:
    """Review a script: what in it costs GPU time, each finding with its reason and its fix.

    JSON, or SARIF 2.1.0 with `Accept: application/sarif+json`.
    """
    path, found = await review_script(
        body.script, body.cwd, kind=body.kind, args=body.args, config=engine.config
    )
    if preferred(request.headers.get("accept"), (_JSON, SARIF)) == SARIF:
        return Response(json.dumps(as_sarif(found, path, __version__)), media_type=SARIF)
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
