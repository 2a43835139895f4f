"""The daemon from its settings to its end: devices, engine, API, in this order, and back."""

import json
import os
import socket
from pathlib import Path

import structlog

from supervisor.api.app import LOOPBACK_HOSTS, create_app
from supervisor.api.auth import load_token
from supervisor.api.server import Server, bind
from supervisor.devices.base import DeviceError
from supervisor.engine.devices import open_devices
from supervisor.engine.engine import open_engine
from supervisor.settings import Settings
from supervisor.store.database import StoreCorruptError, StoreError
from supervisor.store.schema import SchemaTooNewError
from supervisor.store.statedir import StateDirError

log = structlog.get_logger(__name__)

DISCOVERY_FILE = "daemon.json"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class DaemonError(Exception):
    """The daemon cannot start; one line that says why and what to do."""


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; raises `DaemonError` where it cannot start."""
    if settings.host not in _LOOPBACK and settings.token is None:
        message = f"host {settings.host} can be reached by others: set TRAIND_TOKEN, or use 127.0.0.1"
        raise DaemonError(message)
    config = settings.engine_config()
    try:
        devices = open_devices(config)
        async with open_engine(config, devices) as engine:
            token = load_token(config.state_dir, settings.token)
            listener = _listen(settings)
            port = listener.getsockname()[1]
            hosts = {*LOOPBACK_HOSTS, settings.host}
            server = Server(create_app(engine, token, hosts=sorted(hosts)), engine)
            discovery = config.state_dir / DISCOVERY_FILE
            _announce(discovery, settings.host, port)
            log.info("ready", url=f"http://{settings.host}:{port}", devices=list(devices), runs=engine.live)
            try:
                await server.serve(sockets=[listener])
            finally:
                discovery.unlink(missing_ok=True)
        log.info("stopped; training goes on")
    except (
        StateDirError,
        StoreError,
        StoreCorruptError,
        SchemaTooNewError,
        DeviceError,
        ValueError,
    ) as error:
        raise DaemonError(str(error)) from error


def _listen(settings: Settings) -> socket.socket:
    try:
        return bind(settings.host, settings.port)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        message = f"{where} cannot be had: {error.strerror}; choose another by --port"
        raise DaemonError(message) from error


def _announce(path: Path, host: str, port: int) -> None:
    """Tell the command line where this daemon listens; whole or not at all, for it may be looking."""
    shown = f"[{host}]" if ":" in host else host
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps({"url": f"http://{shown}:{port}", "pid": os.getpid()}))
    beside.replace(path)
