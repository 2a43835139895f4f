"""The gate that every request passes before any route: size of its head, Host, Origin, token.

It stands outside the routes so that a route cannot forget it. Only what `OPEN_PATHS` names is answered
without the token: none of it shows more than that a daemon is here and what its runs are called.
"""

import hmac
import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

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
_LOOKED_AT = frozenset({b"host", b"origin", b"sec-fetch-site", b"authorization", b"content-length"})
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

    def refuse(self, path: str, head: "Head") -> "Response | None":
        """The refusal of a request, or None for one that may pass."""
        return (
            _oversized(head)
            or self._foreign_host(head)
            or _foreign_origin(head)
            or self._without_token(path, head)
        )

    def _foreign_host(self, head: "Head") -> "Response | None":
        given = head.only("host")
        name = host_name(given) if given is not None else None
        if name is not None and (name in self.hosts or (self.any_address and _is_address(name))):
            return None
        shown = (given or "none")[:80]
        allowed = ", ".join(sorted(self.hosts))
        detail = (
            f"Host {shown!r} is not a name of this daemon; send one of {allowed}, or set TRAIND_ALLOWED_HOSTS"
        )
        return problem(HTTPStatus.BAD_REQUEST, "bad_host", detail)

    def _without_token(self, path: str, head: "Head") -> "Response | None":
        if path in OPEN_PATHS or path.startswith(STATIC_PREFIX):
            return None
        scheme, _, sent = (head.only("authorization") or "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), self.token.encode()):
            return None
        detail = f"send the token as a header, never in the URL: curl -H @{self.header_file} …"
        challenge = {"WWW-Authenticate": 'Bearer realm="traind"'}
        return problem(HTTPStatus.UNAUTHORIZED, "unauthenticated", detail, headers=challenge)


class Head:
    """A request's headers, gone through once: how many, how large, and those that the gate looks at."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self.count = 0
        self.size = 0
        self._found: dict[str, list[str]] = {}
        for name, value in raw:
            self.count += 1
            self.size += len(name) + len(value)
            if name in _LOOKED_AT:
                self._found.setdefault(name.decode("ascii"), []).append(value.decode("latin-1"))

    def only(self, name: str) -> str | None:
        """The value of a header that was sent exactly once."""
        values = self._found.get(name, ())
        return values[0] if len(values) == 1 else None

    def sent(self, name: str) -> bool:
        return name in self._found


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
                headers = list(message["headers"])
                headers.append((b"x-content-type-options", b"nosniff"))
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        refusal = self._gate.refuse(scope["path"], Head(scope["headers"]))
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


def _oversized(head: Head) -> "Response | None":
    """What is too large by its own word. A body that comes in chunks is counted as it is read."""
    declared = head.only("content-length") or "0"
    if not declared.isdecimal() or len(declared) > _MOST_DIGITS or int(declared) > LARGEST_BODY:
        return body_too_large()
    if head.count <= _MOST_HEADERS and head.size <= _MOST_HEADER_BYTES:
        return None
    detail = f"at most {_MOST_HEADERS} headers of {_MOST_HEADER_BYTES} bytes together are read; send fewer"
    return problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", detail)


def _foreign_origin(head: Head) -> "Response | None":
    """Browsers name the page that a request comes from; whatever is not our own page is refused."""
    own_site = not head.sent("sec-fetch-site") or head.only("sec-fetch-site") in _SAME_SITE
    if own_site and (not head.sent("origin") or _own_origin(head)):
        return None
    detail = "a page of another site may not call this daemon; call it from a program, or from its own page"
    return problem(HTTPStatus.FORBIDDEN, "cross_origin", detail)


def _own_origin(head: Head) -> bool:
    host = (head.only("host") or "").lower()
    return (head.only("origin") or "").lower() in {f"{scheme}://{host}" for scheme in _SCHEMES}


_SCHEMES = ("http", "https")


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isdecimal() and text.isascii())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
