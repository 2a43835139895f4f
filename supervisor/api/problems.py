"""Errors as `application/problem+json` (RFC 9457), each with the fix in its `detail`."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from supervisor.engine.engine import AmbiguousRunError, UnknownRunError
from supervisor.engine.submission import SubmissionError
from supervisor.store.database import StoreError

log = structlog.get_logger(__name__)

_NOT_FOUND_CODES = frozenset({"script_not_readable", "cwd_not_found"})


class ProblemError(Exception):
    """A request that cannot be answered; `code` is the stable tail of the problem's `type`."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    retryable: bool = False,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One problem document."""
    body: dict[str, object] = {
        "type": f"urn:traind:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "retryable": retryable,
    }
    if errors is not None:
        body["errors"] = errors
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Map every error that a route can raise to its problem, once."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.code, error.detail, headers=error.headers)

    @app.exception_handler(SubmissionError)
    async def _submission(_: Request, error: SubmissionError) -> JSONResponse:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.code, str(error))

    @app.exception_handler(UnknownRunError)
    async def _unknown(_: Request, error: UnknownRunError) -> JSONResponse:
        return problem(HTTPStatus.NOT_FOUND, "run_not_found", str(error))

    @app.exception_handler(AmbiguousRunError)
    async def _ambiguous(_: Request, error: AmbiguousRunError) -> JSONResponse:
        return problem(HTTPStatus.CONFLICT, "run_ambiguous", str(error))

    @app.exception_handler(StoreError)
    async def _store(_: Request, error: StoreError) -> JSONResponse:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "store_failed", str(error), retryable=True)

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors()[:20]
        ]
        first = f"{errors[0]['field']}: {errors[0]['message']}" if errors else "the request does not fit"
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "validation_failed", first, errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name.lower()
        return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", path=request.url.path, exc_info=error)
        detail = "the daemon failed on this request; its log has the details"
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail)
