"""Where things are that both the daemon and its clients look for; standard library only, for speed."""

import os
from collections.abc import Mapping
from pathlib import Path

DEFAULT_PORT = 8724
DISCOVERY_FILE = "daemon.json"
TOKEN_FILE = "token"  # noqa: S105 - a file's name
SYSTEM_STATE_DIR = Path("/var/lib/traind")  # of the system's service, by its unit


def default_state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """systemd's state directory, else `traind` in the user's own."""
    given = environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    base = environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "traind"


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """`TRAIND_CONFIG`, else `traind/config.toml` in the user's configuration directory."""
    given = environ.get("TRAIND_CONFIG")
    if given:
        return Path(given)
    base = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "traind" / "config.toml"
