"""Finds the daemon: where it listens, and the token. Light, for every command does it first."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.client.errors import ClientError, DaemonUnreachable
from supervisor.places import (
    DEFAULT_PORT,
    DISCOVERY_FILE,
    SYSTEM_STATE_DIR,
    TOKEN_FILE,
    config_file,
    default_state_dir,
)


@dataclass(frozen=True, slots=True)
class Location:
    """A daemon's address (`http://…` or `unix:/path`) and its token; `pid` where it has announced itself."""

    url: str
    token: str | None = None
    pid: int | None = None
    state_dir: Path | None = None


def discover(environ: Mapping[str, str] = os.environ) -> Location:
    """Where the daemon of this environment listens.

    `TRAIND_URL`, else what the daemon wrote to its state directory, else the configured address. Raises
    `DaemonUnreachable` where a daemon announced itself and is gone, and `ClientError` for a
    configuration that cannot be read.
    """
    config = _config(environ)
    state_dir = find_state_dir(environ, config)
    token = environ.get("TRAIND_TOKEN") or config.get("token") or _text(state_dir / TOKEN_FILE)
    if given := environ.get("TRAIND_URL"):
        return Location(given, token, state_dir=state_dir)
    announced = _announced(state_dir)
    if announced is None:
        host = environ.get("TRAIND_HOST") or str(config.get("host") or "127.0.0.1")
        port = environ.get("TRAIND_PORT") or config.get("port") or DEFAULT_PORT
        shown = f"[{host}]" if ":" in host else host
        return Location(f"http://{shown}:{port}", token, state_dir=state_dir)
    pid = announced.get("pid")
    if isinstance(pid, int) and not is_alive(pid):
        message = f"no daemon is running: process {pid}, the last one of {state_dir}, is gone; "
        raise DaemonUnreachable(message + "start one with `traind serve`")
    url = announced.get("url") or f"unix:{announced.get('socket')}"
    return Location(str(url), token, pid if isinstance(pid, int) else None, state_dir)


def find_state_dir(environ: Mapping[str, str] = os.environ, config: Mapping[str, Any] | None = None) -> Path:
    """The state directory by `TRAIND_STATE_DIR`, the configuration or the default; it need not exist.

    Where no daemon announced itself in the user's own, that of the system's service, to whoever may read it.
    """
    config = _config(environ) if config is None else config
    given = environ.get("TRAIND_STATE_DIR") or config.get("state_dir")
    if given:
        return Path(given)
    own = default_state_dir(environ)
    if environ.get("STATE_DIRECTORY") or (own / DISCOVERY_FILE).exists():
        return own
    return SYSTEM_STATE_DIR if os.access(SYSTEM_STATE_DIR / DISCOVERY_FILE, os.R_OK) else own


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _config(environ: Mapping[str, str]) -> dict[str, Any]:
    path = config_file(environ)
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{path} cannot be read: {error}") from error
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ClientError(f"{path} cannot be read: {error}") from error


def _announced(state_dir: Path) -> dict[str, Any] | None:
    text = _text(state_dir / DISCOVERY_FILE)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and (found.get("url") or found.get("socket")) else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None
