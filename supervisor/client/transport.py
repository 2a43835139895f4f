"""What both transports share: addresses, headers, timeouts, and errors in our words."""

import ssl
from typing import Any

import httpx2

from supervisor.client.discovery import Location
from supervisor.client.errors import DaemonUnreachable
from supervisor.client.requests import Answer, Request

CONNECT_S = 5.0
REPEATS = 2  # of a repeatable call whose connection broke
UNDER_WAY_S = 0.5  # until a call that is under way is asked for again
UNIX = "unix:"


def base_url(location: Location) -> str:
    return "http://localhost" if location.url.startswith(UNIX) else location.url


def transport_options(location: Location) -> dict[str, Any]:
    """The socket's path, and trust where there is TLS: loading it costs a command 20 ms."""
    if location.url.startswith(UNIX):
        return {"uds": location.url.removeprefix(UNIX), "verify": _no_trust()}
    return {} if location.url.startswith("https:") else {"verify": _no_trust()}


def client_headers(location: Location) -> dict[str, str]:
    return {"Authorization": f"Bearer {location.token}"} if location.token else {}


def send_options(request: Request[Any], timeout_s: float) -> dict[str, Any]:
    """The keywords of `httpx2.Client.request`, but for the method and the path."""
    return {
        "params": request.params,
        "headers": request.headers,
        "timeout": httpx2.Timeout(timeout_s + request.waits_s, connect=min(CONNECT_S, timeout_s)),
        **({} if request.json is None else {"json": request.json}),
    }


def answer_of(response: httpx2.Response) -> Answer:
    """A response that has been read, as a value; its headers are looked up in lower case."""
    return Answer(response.status_code, response.headers, response.content)


def unreachable(location: Location, error: httpx2.TransportError) -> DaemonUnreachable:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return DaemonUnreachable(f"no daemon answers at {location.url}; start one with `traind serve`")
    if isinstance(error, httpx2.TimeoutException):
        return DaemonUnreachable(f"the daemon at {location.url} does not answer; is it stuck?")
    if isinstance(error, httpx2.UnsupportedProtocol):
        return DaemonUnreachable(f"{location.url} is no address; give http://HOST:PORT or unix:/PATH")
    what = str(error) or type(error).__name__
    return DaemonUnreachable(f"the connection to the daemon at {location.url} broke ({what}); try again")


def worth_repeating(error: httpx2.TransportError) -> bool:
    """Whether the connection broke, which a daemon does to those it kept open; not that it was slow."""
    broken = httpx2.ReadError | httpx2.WriteError | httpx2.RemoteProtocolError
    return isinstance(error, broken)


def _no_trust() -> ssl.SSLContext:
    """A context that trusts nobody, for connections without TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
