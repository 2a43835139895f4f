"""The OpenAPI document: what FastAPI derives from the routes, with the token and the problems added."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from supervisor.api.guard import OPEN_PATHS
from supervisor.api.problems import MEDIA_TYPE, Problem

_DESCRIPTION = """\
Launches training scripts, watches how much of the device they use, and corrects a batch size that is too
small.

Sizes are bytes, fractions run from 0 to 1, durations are seconds, times RFC 3339 in UTC. Every error is
`application/problem+json` whose `detail` says what to send instead. A list is `items` and `next_cursor`.
"""
_SCHEME = "bearer"
_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token in `<state_dir>/token`; `curl -H @<state_dir>/auth.header` sends it.",
}
_TAGS = (
    ("runs", "Submit runs, list them, look at one or wait for it."),
    ("requests", "Stop a run, relaunch it, restore its script."),
    ("attempts", "The launches of a run, each with its batch size and verdict."),
    ("events", "What happened, numbered; as pages or as a stream."),
    ("log", "What the script printed, by byte offset."),
    ("samples", "Memory and utilisation over time."),
    ("report", "A run in figures, before against after, with advice."),
    ("reviews", "The static check of a training script."),
    ("devices", "Where memory is measured, and who holds it."),
    ("status", "Everything at one look."),
    ("health", "Liveness, readiness, metrics."),
)
_COMMON = {
    "401": "The token is missing or wrong",
    "422": "A field is missing, unknown or out of its range",
    "default": "Any other refusal",
}
_PER_RUN = {"404": "There is no such run, attempt or page", "409": "The run is not in a state for this"}


def install(app: FastAPI) -> None:
    """Make `app.openapi` give the whole document, built once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's own way of changing the document


def _build(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
    )
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs", {}) | {"Problem": schema}
    found["components"]["securitySchemes"] = {_SCHEME: _TOKEN}
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    return found


def _complete(path: str, operation: dict[str, Any]) -> None:
    open_ = path in OPEN_PATHS
    operation["security"] = [] if open_ else [{_SCHEME: []}]
    refusals = dict(_COMMON)
    if open_:
        del refusals["401"]
    if "{reference}" in path or path == "/v1/runs":
        refusals |= _PER_RUN
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    for status, text in refusals.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][status] = {"description": text, "content": content}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is sent or not; there is no way to send null in a URL or a header."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**kinds[0], **rest}


class Methods:
    """Which methods each path takes, by the document; for the `Allow` header of a refusal."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._paths: list[tuple[re.Pattern[str], str]] = []

    def of(self, path: str) -> str:
        """The methods of a path, as `GET, POST`; empty for a path that is none of the document's."""
        if not self._paths:
            self._paths = [
                (compile_path(template)[0], ", ".join(sorted(name.upper() for name in operations)))
                for template, operations in self._app.openapi()["paths"].items()
            ]
        return next((methods for pattern, methods in self._paths if pattern.match(path)), "")
