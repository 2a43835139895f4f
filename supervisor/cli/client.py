"""Speaks REST with the daemon. Finds its address and token by itself."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from supervisor.cli.errors import NOT_FOUND, USAGE, CommandError
from supervisor.settings import DEFAULT_PORT, load_settings

_CONNECT_S = 5.0
_READ_S = 30.0  # beyond any answer that does not wait


class Client:
    """The daemon's API, with its problems as `CommandError`."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx2.Timeout(_READ_S, connect=_CONNECT_S)
        # A proxy of the environment has no business between two processes of one machine.
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)
        self._url = url

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, *, wait_s: float = 0.0, **params: Any) -> Any:
        """The JSON of an answer; `wait_s` is how long the daemon was asked to wait."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._send("GET", path, params=given, timeout=_READ_S + wait_s).json()

    def get_bytes(self, path: str, **params: Any) -> httpx2.Response:
        given = {name: value for name, value in params.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Any) -> Any:
        return self._send("POST", path, json=body).json()

    def text(self, path: str) -> str:
        return self._send("GET", path).text

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """Server-sent events as (type, data)."""
        headers = {"Accept": "text/event-stream"}
        with self._http.stream(
            "GET", path, headers=headers, timeout=httpx2.Timeout(None, connect=_CONNECT_S)
        ) as answer:
            if answer.status_code >= 400:  # noqa: PLR2004 - HTTP's own line
                answer.read()
                raise _problem(answer)
            yield _events(answer.iter_lines())

    def _send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx2.ConnectError as error:
            message = f"no daemon answers at {self._url}; start one with `traind serve`"
            raise CommandError(message) from error
        except httpx2.TimeoutException as error:
            raise CommandError(f"the daemon at {self._url} does not answer; is it stuck?") from error
        if answer.status_code >= 400:  # noqa: PLR2004 - HTTP's own line
            raise _problem(answer)
        return answer


@contextmanager
def connect() -> Iterator[Client]:
    """A client of the daemon that the settings name."""
    settings = load_settings()
    client = Client(_find_url(settings.state_dir), settings.token or _read(settings.state_dir / "token"))
    try:
        yield client
    finally:
        client.close()


def only_live_run(client: Client, reference: str | None) -> str:
    """The run that a command without an id means: the only live one, else the newest if none is live."""
    if reference is not None:
        return reference
    runs = client.get("/v1/runs", limit=200)["items"]
    live = [run for run in runs if run["ended_at"] is None]
    if len(live) > 1:
        names = ", ".join(run["id"] for run in live[:8])
        raise CommandError(f"several runs are live: {names}; name one", USAGE)
    if not runs:
        raise CommandError("there are no runs yet; `traind submit train.py` makes one", NOT_FOUND)
    return str((live or runs)[0]["id"])


def _find_url(state_dir: Path) -> str:
    given = os.environ.get("TRAIND_URL")
    if given:
        return given
    found = _read(state_dir / "daemon.json")
    return str(json.loads(found)["url"]) if found else f"http://127.0.0.1:{DEFAULT_PORT}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _problem(answer: httpx2.Response) -> CommandError:
    try:
        body = answer.json()
        detail = str(body.get("detail", body))
    except ValueError:
        detail = answer.text[:200]
    codes = {404: NOT_FOUND, 422: USAGE}
    return CommandError(detail, codes.get(answer.status_code, 1))


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    kind, data = "message", ""
    for line in lines:
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            data += line[6:]
        elif not line and data:
            yield kind, json.loads(data)
            kind, data = "message", ""
