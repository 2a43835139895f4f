"""The daemon from its settings to its end: devices, engine, sockets, API, in this order, and back."""

import asyncio
import contextlib
import ipaddress
import json
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from supervisor.api.auth import HEADER_FILE, TokenError, load_token
from supervisor.api.notify import ServiceManager, status_field
from supervisor.api.sockets import SocketError, bind_tcp, bind_unix, remove_unix
from supervisor.devices.base import DeviceError
from supervisor.engine.assembly import open_engine
from supervisor.engine.devices import open_devices
from supervisor.engine.engine import Engine
from supervisor.places import DISCOVERY_FILE
from supervisor.process.limits import raise_open_files
from supervisor.settings import Settings
from supervisor.store.faults import ForeignFileError, StoreCorruptError, StoreError
from supervisor.store.schema import SchemaTooNewError
from supervisor.store.statedir import StateDirError

if TYPE_CHECKING:
    from supervisor.api.guard import Gate
    from supervisor.api.server import Server

log = structlog.get_logger(__name__)

SOCKET_FILE = "api.sock"
_REFUSALS = (
    StateDirError,
    StoreError,
    StoreCorruptError,
    ForeignFileError,
    SchemaTooNewError,
    DeviceError,
    SocketError,
    TokenError,
    ValueError,
)


class DaemonError(Exception):
    """The daemon cannot start; one line that says why and what to do."""


async def serve(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT; raises `DaemonError` where it cannot start."""
    manager = ServiceManager.of(os.environ, os.getpid())
    try:
        await _serve(settings, manager)
    except DaemonError as error:
        manager.tell(status_field(f"cannot start: {error}"))
        raise
    manager.tell(status_field("stopped; live runs go on"))


async def _serve(settings: Settings, manager: ServiceManager) -> None:
    if not is_loopback(settings.host) and settings.token is None:
        message = f"host {settings.host} can be reached by others: set TRAIND_TOKEN, or use 127.0.0.1"
        raise DaemonError(message)
    raise_open_files()
    config = settings.engine_config()
    try:
        devices = open_devices(config)
        async with (
            _meanwhile(manager.keep_starting()) as starting,
            open_engine(config, devices) as engine,
            contextlib.AsyncExitStack() as stack,
        ):
            token = load_token(config.state_dir, settings.token)
            tcp = bind_tcp(settings.host, settings.port)
            listeners = [tcp]
            path = settings.socket or config.state_dir / SOCKET_FILE
            unix = _bind_unix(path, asked=settings.socket is not None)
            if unix is not None:
                listeners.append(unix)
                stack.callback(remove_unix, path)
            header_file = str(config.state_dir / HEADER_FILE)
            await asyncio.to_thread(_load_api)
            server = _server(engine, _gate(settings, token, header_file))
            discovery = config.state_dir / DISCOVERY_FILE
            url = _url(settings.host, tcp)
            _announce(discovery, url, path if unix is not None else None)
            stack.callback(discovery.unlink, missing_ok=True)
            log.info("ready", url=url, devices=list(devices), runs=engine.live)
            starting.cancel()
            await stack.enter_async_context(_meanwhile(manager.report(engine)))
            await server.serve(sockets=listeners)
        log.info("stopped; training goes on")
    except _REFUSALS as error:
        raise DaemonError(str(error)) from error


def _load_api() -> None:
    """FastAPI takes longer to load than all else together: the live runs are supervised before it is."""
    import supervisor.api.app
    import supervisor.api.server  # noqa: F401 - for those who import them next


def _server(engine: Engine, gate: "Gate") -> "Server":
    from supervisor.api.app import create_app
    from supervisor.api.server import Server

    return Server(create_app(engine, gate), engine)


@contextlib.asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Do this beside the block, and no longer than it."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a daemon that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_names(settings: Settings) -> set[str]:
    """The names that a Host header may carry: where the daemon listens, and what the settings allow."""
    names = {f"[{settings.host}]" if ":" in settings.host else settings.host}
    if is_loopback(settings.host):
        names.add("localhost")
    else:
        names |= {"localhost", "127.0.0.1", socket.gethostname(), socket.getfqdn()}
    return {name.lower() for name in (*names, *settings.allowed_hosts)}


def _gate(settings: Settings, token: str, header_file: str) -> "Gate":
    from supervisor.api.guard import Gate

    wildcard = settings.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    return Gate(token, header_file, frozenset(host_names(settings)), any_address=wildcard)


def _bind_unix(path: Path, *, asked: bool) -> socket.socket | None:
    """The Unix socket; one that was not asked for by name may be missing."""
    try:
        return bind_unix(path)
    except SocketError as error:
        if asked:
            raise
        log.warning("no Unix socket", why=str(error))
        return None


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _announce(path: Path, url: str, unix: Path | None) -> None:
    """Tell the command line where this daemon listens; whole or not at all, for it may be looking."""
    beside = path.with_suffix(".tmp")
    found = {"url": url, "socket": str(unix) if unix is not None else None, "pid": os.getpid()}
    try:
        beside.write_text(json.dumps(found))
        beside.replace(path)
    except OSError as error:
        raise DaemonError(f"{path} cannot be written: {error.strerror}; free space there") from error
