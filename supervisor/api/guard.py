"""The gate that every request passes before any route: size of its head, Host, Origin, token.

It stands outside the routes so that a route cannot forget it. Only what `OPEN_PATHS` names is answered
without the token: none of it shows more than that a daemon is here and what its runs are called.
"""

import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from supervisor.api.problems import LARGEST_BODY, body_too_large, problem

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN_PATHS = frozenset(
    {"/", "/status", "/healthz", "/readyz", "/docs", "/llms.txt", "/openapi.json", "/v1/openapi.json"}
)
STATIC_PREFIX = "/static/"

_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 32 * 1024
_MOST_DIGITS = 18
_SAME_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request must bring. `hosts` are names without a port; `any_address` allows every IP literal.

    An IP literal cannot be rebound by DNS, so a daemon on a wildcard address may take them all.
    """

    token: str
    header_file: str
    hosts: Collection[str]
    any_address: bool = False

    def refuse(self, path: str, headers: Headers) -> "Response | None":
        """The refusal of a request, or None for one that may pass."""
        return (
            _oversized(headers)
            or self._foreign_host(headers)
            or _foreign_origin(headers)
            or self._without_token(path, headers)
        )

    def _foreign_host(self, headers: Headers) -> "Response | None":
        given = headers.getlist("host")
        name = host_name(given[0]) if len(given) == 1 else None
        if name is not None and (name in self.hosts or (self.any_address and _is_address(name))):
            return None
        shown = ", ".join(given)[:80] or "none"
        allowed = ", ".join(sorted(self.hosts))
        detail = (
            f"Host {shown!r} is not a name of this daemon; send one of {allowed}, or set TRAIND_ALLOWED_HOSTS"
        )
        return problem(HTTPStatus.BAD_REQUEST, "bad_host", detail)

    def _without_token(self, path: str, headers: Headers) -> "Response | None":
        if path in OPEN_PATHS or path.startswith(STATIC_PREFIX):
            return None
        given = headers.getlist("authorization")
        scheme, _, sent = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), self.token.encode()):
            return None
        detail = f"send the token as a header, never in the URL: curl -H @{self.header_file} …"
        challenge = {"WWW-Authenticate": 'Bearer realm="traind"'}
        return problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", detail, headers=challenge)


class GuardMiddleware:
    """Puts a `Gate` before an application, and marks every answer as nothing to sniff or to cache."""

    def __init__(self, app: "ASGIApp", gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_marked(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
                message["headers"] = headers.raw
            await send(message)

        refusal = self._gate.refuse(scope["path"], Headers(raw=scope["headers"]))
        await (refusal or self._app)(scope, _bounded(receive), send_marked)


def _bounded(receive: "Receive") -> "Receive":
    """`receive`, until a body has brought more than is read."""
    read = 0

    async def receive_bounded() -> "Message":
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return receive_bounded


def host_name(value: str) -> str | None:
    """The name in a Host header, lower case and without its port; None for what is no host.

    An IPv6 literal keeps its brackets.
    """
    if value.startswith("["):
        literal, bracket, port = value.partition("]")
        if not bracket or not _is_port(port) or not _is_address(literal + "]"):
            return None
        return f"{literal.lower()}]"
    name, colon, port = value.partition(":")
    return name.lower() if name and _is_port(colon + port) else None


def _oversized(headers: Headers) -> "Response | None":
    """What is too large by its own word. A body that comes in chunks is counted as it is read."""
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > _MOST_DIGITS or int(declared) > LARGEST_BODY:
        return body_too_large()
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if len(headers.raw) <= _MOST_HEADERS and size <= _MOST_HEADER_BYTES:
        return None
    detail = f"at most {_MOST_HEADERS} headers of {_MOST_HEADER_BYTES} bytes together are read; send fewer"
    return problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)


def _foreign_origin(headers: Headers) -> "Response | None":
    """Browsers name the page that a request comes from; whatever is not our own page is refused."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site", "none")
    own = origin is None or origin.lower() in {f"{scheme}://{headers['host'].lower()}" for scheme in _SCHEMES}
    if own and site in _SAME_SITE:
        return None
    detail = "a page of another site may not call this daemon; call it from a program, or from its own page"
    return problem(HTTPStatus.FORBIDDEN, "cross_origin", detail)


_SCHEMES = ("http", "https")


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isdecimal() and text.isascii())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
