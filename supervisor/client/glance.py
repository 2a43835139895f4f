"""The one call that is made by the standard library alone: `GET /status`, which needs no token.

People and prompts ask for it all the time, and loading an HTTP library takes longer than the rest of it.
"""

import http.client
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

from supervisor.client.discovery import Location
from supervisor.client.errors import ApiError, DaemonUnreachable

_UNIX = "unix:"
_TIMEOUT_S = 10.0


def status_text(location: Location) -> str:
    """Everything at one look, as text; raises `DaemonUnreachable` and `ApiError`."""
    connection = _connection(location)
    try:
        connection.request("GET", "/status", headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except TimeoutError as error:
        raise DaemonUnreachable(f"the daemon at {location.url} does not answer; is it stuck?") from error
    except (OSError, http.client.HTTPException) as error:
        message = f"no daemon answers at {location.url}; start one with `traind serve`"
        raise DaemonUnreachable(message) from error
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise ApiError(answer.status, "refused", text[:200], retryable=False, problem={})
    return text


def _connection(location: Location) -> http.client.HTTPConnection:
    if location.url.startswith(_UNIX):
        return _UnixConnection(location.url.removeprefix(_UNIX))
    address = urlsplit(location.url)
    if address.scheme != "http" or not address.hostname:
        raise DaemonUnreachable(f"{location.url} is no address; give http://HOST:PORT or unix:/PATH")
    return http.client.HTTPConnection(address.hostname, address.port, timeout=_TIMEOUT_S)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
