"""Who may call: the bearer token, made at the first start, and the check of it."""

import hmac
import os
import secrets
from http import HTTPStatus
from pathlib import Path

from fastapi import Request

from supervisor.api.problems import ProblemError

TOKEN_FILE = "token"  # noqa: S105 - a file's name
HEADER_FILE = "auth.header"


def load_token(state_dir: Path, given: str | None) -> str:
    """The token: the one given by settings, else the state directory's own, made at the first start.

    Beside it stands a file with the whole header line, so that `curl -H @FILE` keeps it out of `ps`.
    Raises `OSError` where the state directory cannot be written.
    """
    path = state_dir / TOKEN_FILE
    token = given or (path.read_text().strip() if path.exists() else "") or secrets.token_urlsafe(32)
    for name, text in ((TOKEN_FILE, token), (HEADER_FILE, f"Authorization: Bearer {token}")):
        _write_private(state_dir / name, text + "\n")
    return token


def require_token(request: Request) -> None:
    """A dependency: refuse a request without the right token, comparing in constant time."""
    expected: str = request.app.state.token
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), expected.encode()):
        return
    header = Path(request.app.state.engine.config.state_dir) / HEADER_FILE
    raise ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "unauthenticated",
        f"send the token: curl -H @{header} …",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _write_private(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
