"""Submitting once: an `Idempotency-Key` makes a retry of the same submission safe.

Key and answer are stored in the transaction that stores the run, so there is no moment at which one is
there without the other.
"""

import hashlib
import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from supervisor.api.answers import json_answer
from supervisor.api.problems import ProblemError
from supervisor.api.views import run_view
from supervisor.domain.run import Run
from supervisor.engine.engine import Engine
from supervisor.engine.submission import Submission
from supervisor.store.idempotency import Remembered

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="makes a retry safe; good for 24 hours",
        examples=["9f0c1f5e-2b1f-4a57-9d35-0f3f6a1e8c11"],
    ),
]


class Submissions:
    """Takes submissions, and knows which keys are under way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._under_way: set[str] = set()

    async def submit(self, submission: Submission, key: str | None) -> Response:
        """Submit, or give the first answer to this key again; raises `ProblemError`, `SubmissionError`."""
        if self._engine.hub.closing.is_set():
            detail = "the daemon is stopping and takes nothing new; send this again when it is back"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "daemon_stopping", detail, retryable=True)
        if key is None:
            return self._created(await self._engine.submit(submission))
        if key in self._under_way:
            detail = "a submission with this Idempotency-Key is under way; send it again in a second"
            raise ProblemError(HTTPStatus.CONFLICT, "submission_under_way", detail, retryable=True)
        self._under_way.add(key)
        try:
            return await self._submit_once(submission, key)
        finally:
            self._under_way.discard(key)

    async def _submit_once(self, submission: Submission, key: str) -> Response:
        digest = _digest(submission)
        known = await self._engine.remembered(key)
        if known is None:
            return await self._submit_first(submission, key, digest)
        if known.digest != digest:
            detail = "this Idempotency-Key came with another body before; send a new key with a new body"
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
        headers = {"Location": json.loads(known.answer)["links"]["self"], "Idempotency-Replayed": "true"}
        return Response(known.answer, HTTPStatus.CREATED, headers, "application/json")

    async def _submit_first(self, submission: Submission, key: str, digest: str) -> Response:
        """Submit under a new key; what is answered and what is remembered are the same text."""
        answers: list[str] = []

        def remember(run: Run) -> Remembered:
            answers.append(self._text(run))
            return Remembered(key, digest, answers[0])

        run = await self._engine.submit(submission, remember=remember)
        headers = {"Location": f"/v1/runs/{run.id}"}
        return Response(answers[0], HTTPStatus.CREATED, headers, "application/json")

    def _created(self, run: Run) -> Response:
        shown = run_view(run, self._engine.config.clock.moment())
        return json_answer(shown, HTTPStatus.CREATED, {"Location": shown.links["self"]})

    def _text(self, run: Run) -> str:
        return run_view(run, self._engine.config.clock.moment()).model_dump_json()


async def _submissions(request: Request) -> Submissions:
    found: Submissions = request.app.state.submissions
    return found


SubmissionsHere = Annotated[Submissions, Depends(_submissions)]


def run_links(run_id: str) -> dict[str, Any]:
    """OpenAPI links from an answer that names a run to the calls that take its id."""
    operations = ("get_run", "stop_run", "relaunch_run", "list_attempts", "list_events", "read_log")
    return {
        name: {"operationId": name, "parameters": {"reference": run_id}}
        for name in (*operations, "list_samples", "get_report")
    }


def _digest(submission: Submission) -> str:
    """The same for submissions that mean the same, however their JSON was written."""
    text = json.dumps(submission.model_dump(mode="json", exclude_unset=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
