"""The bearer token: given by the settings, or made at the first start and kept in the state directory."""

import os
import re
import secrets
from pathlib import Path

from supervisor.places import TOKEN_FILE

HEADER_FILE = "auth.header"

# What a header can carry as it stands, and what cannot be guessed.
_TOKEN = re.compile(r"[!-~]{16,512}")


class TokenError(Exception):
    """A token that cannot be used; the message says what to set."""


def load_token(state_dir: Path, given: str | None) -> str:
    """The token: the one given by settings, else the state directory's own, made at the first start.

    Beside it stands a file with the whole header line, so that `curl -H @FILE` keeps it out of `ps`.
    Raises `TokenError`.
    """
    try:
        return _kept_token(state_dir, given)
    except OSError as error:
        place = error.filename or state_dir
        raise TokenError(
            f"{place} cannot be used: {error.strerror}; mend that, or free space there"
        ) from error


def _kept_token(state_dir: Path, given: str | None) -> str:
    path = state_dir / TOKEN_FILE
    token = given or (path.read_text().strip() if path.exists() else "") or secrets.token_urlsafe(32)
    if not _TOKEN.fullmatch(token):
        source = "the settings" if given else str(path)
        raise TokenError(f"the token in {source} must be 16 to 512 visible ASCII characters without a space")
    for name, text in ((TOKEN_FILE, token), (HEADER_FILE, f"Authorization: Bearer {token}")):
        _write_private(state_dir / name, text + "\n")
    return token


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read; one that is right already only gets its mode set again."""
    if path.exists() and path.read_text() == text:
        path.chmod(0o600)
        return
    beside = path.with_suffix(".tmp")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    beside.replace(path)
