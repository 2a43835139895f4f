"""`doctor`: looks at this machine and says what to mend. Needs no daemon and no GPU; no look is unbounded."""

import os
import shutil
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from supervisor.cli.errors import CommandError
from supervisor.cli.options import AsJson

if TYPE_CHECKING:
    from supervisor.cli.checks import Check
    from supervisor.client import Client
    from supervisor.settings import Settings

_DAEMON_S = 3.0
_PORT_S = 1.0
_NVML_S = 10.0
_SHM = Path("/dev/shm")  # noqa: S108 - what is looked at
_INOTIFY = Path("/proc/sys/fs/inotify")
_COLOURS = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


def doctor(*, as_json: AsJson = False) -> None:
    """Check this machine: GPU, permissions, disk, limits, daemon. Exits 1 where something fails."""
    from supervisor.cli.output import show_json

    found = _every_check()
    if as_json:
        show_json(
            [
                {"check": item.name, "level": item.level, "found": item.found, "fix": item.fix}
                for item in found
            ]
        )
    else:
        for item in found:
            typer.echo(f"{_level(item.level)}  {item.name}: {item.found}")
            if item.fix:
                typer.echo(f"      do: {item.fix}")
    if any(item.level == "fail" for item in found):
        raise typer.Exit(1)


def _every_check() -> "list[Check]":
    from supervisor.cli import checks
    from supervisor.cli.serving import settings_of

    gpus, error = _gpus()
    found = [
        checks.nvml(gpus, error),
        checks.cuda_visibility(os.environ.get("CUDA_VISIBLE_DEVICES"), len(gpus)),
    ]
    try:
        settings = settings_of()
    except CommandError as problem:
        found.append(checks.Check("settings", checks.Level.FAIL, str(problem), "mend that setting"))
        return found
    found += [_state_directory(settings.state_dir), _store(settings.state_dir)]
    found += [*_room(settings.state_dir), *_limits()]
    interpreter = shutil.which(settings.python)
    return [*found, checks.interpreter(settings.python, interpreter), *_daemon(settings)]


def _gpus() -> tuple[list[str], str | None]:
    """The names of the GPUs, or why they cannot be read; a driver that hangs is left behind."""
    import threading

    from supervisor.devices.base import DeviceError
    from supervisor.devices.nvml import NvmlSession

    names: list[str] = []
    errors: list[str] = []

    def look() -> None:
        try:
            session = NvmlSession.open()
        except DeviceError as error:
            errors.append(str(error))
            return
        names.extend(device.info.name for device in session.devices)
        session.close()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(_NVML_S)
    if thread.is_alive():
        return [], f"the driver did not answer within {_NVML_S:.0f} s"
    return names, errors[0] if errors else None


def _state_directory(path: Path) -> "Check":
    from supervisor.cli.checks import state_directory

    exists = path.exists()
    writable = os.access(_nearest(path), os.W_OK | os.X_OK) and (path.is_dir() or not exists)
    mode = path.stat().st_mode & 0o777 if exists else None
    return state_directory(str(path), exists=exists, writable=writable, mode=mode)


def _store(directory: Path) -> "Check":
    from supervisor.cli.checks import store
    from supervisor.store.opening import look
    from supervisor.store.salvage import kept_aside
    from supervisor.store.statedir import DATABASE, holder

    path = directory / DATABASE
    aside = [item.name for item in kept_aside(path)] if directory.is_dir() else []
    return store(str(path), exists=path.exists(), problem=look(path), aside=aside, holder=holder(directory))


def _room(path: Path) -> "list[Check]":
    from supervisor.cli.checks import disk, holes, shared_memory

    nearest = _nearest(path)
    shm = shutil.disk_usage(_SHM) if _SHM.is_dir() else None
    return [
        disk(str(nearest), shutil.disk_usage(nearest).free),
        holes(str(nearest), supported=_can_punch(nearest)),
        shared_memory(shm.total if shm else None, shm.free if shm else None),
    ]


def _can_punch(directory: Path) -> bool | None:
    from supervisor.process.holes import can_punch

    try:
        return can_punch(directory)
    except OSError:
        return None


def _limits() -> "list[Check]":
    import resource

    from supervisor.cli.checks import inotify, open_files

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    instances, watches = _number("max_user_instances"), _number("max_user_watches")
    return [open_files(soft, hard), inotify(instances, watches)]


def _daemon(settings: "Settings") -> "list[Check]":
    from urllib.parse import urlsplit

    from supervisor.cli import checks
    from supervisor.client import Client, ClientError

    url, error, accepted, problems = None, None, None, []
    try:
        with Client(timeout_s=_DAEMON_S) as client:
            url = client.location.url
            accepted = _accepts(client)
            problems = _problems(client)
    except ClientError as problem:
        error = str(problem)
    reached = error is None
    parts = urlsplit(url or "")
    ours = reached and parts.port == settings.port
    taken = settings.port != 0 and _taken(settings.host, settings.port)
    return [
        checks.daemon(url, error, accepted=accepted, problems=problems),
        checks.port(settings.host, settings.port, taken=taken, ours=ours),
    ]


def _accepts(client: "Client") -> bool:
    from supervisor.client import ApiError

    try:
        client.runs(limit=1)
    except ApiError as error:
        if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return False
        raise
    return True


def _problems(client: "Client") -> list[str]:
    return client.ready()["problems"]


def _taken(host: str, port: int) -> bool:
    import socket

    try:
        with socket.create_connection((host, port), timeout=_PORT_S):
            return True
    except OSError:
        return False


def _nearest(path: Path) -> Path:
    """The path, or the nearest directory above it that there is."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())


def _number(name: str) -> int | None:
    try:
        return int((_INOTIFY / name).read_text())
    except (OSError, ValueError):
        return None


def _level(level: str) -> str:
    import sys

    padded = f"{level:<4}"
    plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
    return padded if plain else typer.style(padded, fg=_COLOURS[level])
