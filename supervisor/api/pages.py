"""What is read without the token: front page, documentation, the page for agents. No data of runs."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from supervisor import __version__
from supervisor.api.guard import STATIC_PREFIX
from supervisor.web.landing import CONTENT_SECURITY_POLICY, landing_page

router = APIRouter(include_in_schema=False)

_DOCUMENT = "/v1/openapi.json"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_BASE_LINE = re.compile(r"^BASE=.*$", re.MULTILINE)
_HEADER_LINE = re.compile(r"^H=.*$", re.MULTILINE)


def mount_static(app: FastAPI) -> None:
    """Swagger UI as a package ships it, so that the documentation needs no internet."""
    assets = Path(fastapi_offline.__file__).parent / "static"
    app.mount(STATIC_PREFIX.rstrip("/"), StaticFiles(directory=assets), name="static")


@router.get("/")
async def front(request: Request) -> Response:
    """What is here, and where to read on."""
    page = landing_page(__version__, _base(request), request.app.state.gate.header_file)
    return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@router.get("/openapi.json")
@router.get(_DOCUMENT)
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


@router.get("/docs")
async def docs() -> Response:
    """Swagger UI over the OpenAPI document."""
    page = get_swagger_ui_html(
        openapi_url=_DOCUMENT,
        title="traind: REST",
        swagger_js_url=f"{STATIC_PREFIX}swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC_PREFIX}swagger-ui.css",
        swagger_favicon_url=f"{STATIC_PREFIX}favicon.png",
    )
    page.headers["Content-Security-Policy"] = _docs_policy(bytes(page.body).decode())
    return page


@router.get("/llms.txt")
async def agents(request: Request) -> Response:
    """The page for agents, with this daemon's own address and header file in its commands."""
    header: str = request.app.state.gate.header_file
    text = _BASE_LINE.sub(lambda _: f"BASE={_base(request)}", agents_page())
    return PlainTextResponse(_HEADER_LINE.sub(lambda _: f"H={header}", text))


def _base(request: Request) -> str:
    return f"http://{request.headers['host']}"


@cache
def agents_page() -> str:
    """The text of docs/agents.md: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    places = (package.parent / "docs" / "agents.md", package / "web" / "agents.md")
    return next(place for place in places if place.is_file()).read_text()


def _docs_policy(page: str) -> str:
    """Scripts of our own origin, and exactly the one that stands in the page."""
    inline = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'self'; script-src 'self'{inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
