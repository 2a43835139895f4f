"""Errors as `application/problem+json` (RFC 9457), each with the fix in its `detail`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from supervisor.engine.engine import AmbiguousRunError, UnknownRunError
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.submission import SubmissionError
from supervisor.store.faults import StoreError

log = structlog.get_logger(__name__)

LARGEST_BODY = 4 * 1024 * 1024  # bytes; what a submission of the largest arguments needs
MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 20
_RETRY_AFTER_S = "1"
# What a submission names and is not here, or may not be used; every other refusal is of its content.
_SUBMISSION_STATUS = {
    "script_not_readable": HTTPStatus.NOT_FOUND,
    "script_not_absolute": HTTPStatus.NOT_FOUND,
    "cwd_not_found": HTTPStatus.NOT_FOUND,
    "python_not_found": HTTPStatus.NOT_FOUND,
    "no_such_device": HTTPStatus.NOT_FOUND,
    "sample_not_readable": HTTPStatus.NOT_FOUND,
    "outside_allowed_roots": HTTPStatus.FORBIDDEN,
    "contradictory": HTTPStatus.CONFLICT,
    "budget_too_short": HTTPStatus.CONFLICT,
}


class FieldError(BaseModel):
    """One thing wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was not answered as asked. `detail` says what to send or to do instead.

    `code` is stable and ends `type`; `retryable` says whether the same request may succeed later.
    """

    type: str = Field(examples=["urn:traind:problem:run_not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["run_not_found"])
    detail: str = Field(examples=["there is no run 'nowhere'; `GET /v1/runs` lists them"])
    retryable: bool = Field(examples=[False])
    errors: list[FieldError] | None = None
    candidates: list[dict[str, Any]] | None = None
    findings: list[dict[str, Any]] | None = None


class ProblemError(Exception):
    """A request that cannot be answered; `code` is the stable tail of the problem's `type`."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        retryable: bool = False,
        headers: dict[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.headers = headers
        self.extra = extra


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    retryable: bool = False,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> JSONResponse:
    """One problem document. What may succeed later says after how many seconds."""
    body = problem_body(status, code, detail, retryable=retryable) | dict(extra or {})
    sent = {"Retry-After": _RETRY_AFTER_S} if retryable else {}
    return JSONResponse(body, status, headers=sent | dict(headers or {}), media_type=MEDIA_TYPE)


def body_too_large() -> JSONResponse:
    detail = f"a body of more than {LARGEST_BODY} bytes is not read; send a smaller one"
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def contradiction(detail: str) -> ProblemError:
    """Fields that are right each and cannot be meant together."""
    return ProblemError(HTTPStatus.CONFLICT, "contradictory", detail)


def problem_body(status: int, code: str, detail: str, *, retryable: bool = False) -> dict[str, object]:
    return {
        "type": f"urn:traind:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        "retryable": retryable,
    }


def install(app: FastAPI) -> None:
    """Map every error that a route can raise to its problem, once."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> JSONResponse:
        return problem(
            error.status,
            error.code,
            error.detail,
            retryable=error.retryable,
            headers=error.headers,
            extra=error.extra,
        )

    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, _handler(answer))

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [_field_error(item) for item in error.errors()[:_MOST_ERRORS]]
        first = "; ".join(f"{item['field']}: {item['message']}" for item in errors[:3])
        detail = first or "the request does not fit; GET /v1/openapi.json says what does"
        extra = {"errors": errors}
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "validation_failed", detail, extra=extra)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return body_too_large()
        code = HTTPStatus(error.status_code).name.lower()
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # Starlette names the methods of one route, and a path may have several.
            headers["Allow"] = request.app.state.methods.of(request.url.path) or headers.get("Allow", "GET")
        return problem(error.status_code, code, _http_detail(request, error, headers), headers=headers)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", path=request.url.path, exc_info=error)
        detail = "the daemon failed on this request; its log has the details"
        # uvicorn hangs up after an error that went through: nobody should send another request there.
        closing = {"Connection": "close"}
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, headers=closing)


def _submission(error: SubmissionError) -> JSONResponse:
    status = _SUBMISSION_STATUS.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    lists = {"findings": error.findings, "candidates": error.candidates}
    extra = {name: found for name, found in lists.items() if found}
    return problem(status, error.code, str(error), extra=extra)


def _refused(error: RequestRefusedError) -> JSONResponse:
    stopping = error.code == "daemon_stopping"
    status = HTTPStatus.SERVICE_UNAVAILABLE if stopping else HTTPStatus.CONFLICT
    extra = {"candidates": error.candidates} if error.candidates else None
    return problem(status, error.code, str(error), retryable=stopping, extra=extra)


def _unknown(error: UnknownRunError) -> JSONResponse:
    return problem(HTTPStatus.NOT_FOUND, "run_not_found", str(error))


def _ambiguous(error: AmbiguousRunError) -> JSONResponse:
    return problem(HTTPStatus.CONFLICT, "run_ambiguous", str(error))


def _store(error: StoreError) -> JSONResponse:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "store_failed", str(error), retryable=True)


# The engine's own errors, each with its answer.
_ANSWERS: dict[type[Exception], Callable[[Any], JSONResponse]] = {
    SubmissionError: _submission,
    RequestRefusedError: _refused,
    UnknownRunError: _unknown,
    AmbiguousRunError: _ambiguous,
    StoreError: _store,
}


def _handler(
    answer: Callable[[Any], JSONResponse],
) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(_: Request, error: Exception) -> JSONResponse:
        return answer(error)

    return handle


def _field_error(item: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with one field, never with the value that was sent: it may be a secret."""
    location: Sequence[object] = item["loc"]
    name = ".".join(str(part) for part in location[1:]) or str(location[0])
    message = str(item["msg"])
    if item["type"] == "extra_forbidden":
        message = "there is no such field; GET /v1/openapi.json lists those that there are"
    elif item["type"] in {"json_invalid", "model_attributes_type"}:
        name, message = "body", f"send a JSON object with Content-Type: application/json ({message})"
    return {"field": name, "message": message.removeprefix("Value error, ")}


def _http_detail(request: Request, error: HTTPException, headers: Mapping[str, str]) -> str:
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} does not take {request.method}; send {headers['Allow']}"
    if status is HTTPStatus.NOT_FOUND:
        return f"there is nothing at {request.url.path[:200]!r}; GET /v1/openapi.json lists what there is"
    if status is HTTPStatus.BAD_REQUEST:
        return f"{error.detail}; send a JSON object with Content-Type: application/json"
    return str(error.detail)
