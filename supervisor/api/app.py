"""The application: routes, errors and the check of the Host header put together around an engine."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from supervisor import __version__
from supervisor.api import events, logs, problems, runs, status
from supervisor.engine.engine import Engine

_LARGEST_BODY = 1024 * 1024
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def create_app(engine: Engine, token: str, *, hosts: Sequence[str] = LOOPBACK_HOSTS) -> FastAPI:
    """The control API over an open engine. `hosts` are the names that a Host header may carry."""
    app = FastAPI(
        title="traind",
        version=__version__,
        summary="Background-training supervisor",
        max_body_size=_LARGEST_BODY,
        # The built-in pages load their scripts from a CDN; the document itself needs none.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.engine = engine
    app.state.token = token
    problems.install(app)
    # A page of another site that a browser was lured to cannot name a host of ours (DNS rebinding).
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    for module in (runs, events, logs, status):
        app.include_router(module.router)
    return app
