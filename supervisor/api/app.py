"""The application: routes, errors, documentation and the gate put together around an engine."""

from fastapi import FastAPI

from supervisor import __version__
from supervisor.api import (
    attempts,
    devices,
    events,
    health,
    logs,
    openapi,
    pages,
    problems,
    reports,
    requests,
    reviews,
    runs,
    samples,
    status,
)
from supervisor.api.guard import Gate, GuardMiddleware
from supervisor.api.held import Held
from supervisor.api.submitting import Submissions
from supervisor.engine.engine import Engine


def create_app(engine: Engine, gate: Gate) -> FastAPI:
    """The control API over an open engine, behind this gate."""
    app = FastAPI(
        title="traind",
        version=__version__,
        summary="Background-training supervisor",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.engine = engine
    app.state.gate = gate
    app.state.held = Held()
    app.state.methods = openapi.Methods(app)
    app.state.submissions = Submissions(engine)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(GuardMiddleware, gate=gate)
    for module in (
        # Each is tried in turn: what is asked for most comes first.
        *(runs, status, health, requests, attempts, events, logs, samples, reports),
        *(reviews, devices, pages),
    ):
        app.include_router(module.router)
    pages.mount_static(app)
    return app
