"""The sockets that the daemon listens on, bound by itself before it says that it is ready."""

import contextlib
import os
import socket
import stat
from pathlib import Path

_BACKLOG = 1024
_LONGEST_UNIX_PATH = 107  # bytes; what sockaddr_un holds


class SocketError(Exception):
    """A socket cannot be had; the message says which, why, and what to do."""


def bind_tcp(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes any free one. Raises `SocketError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: without it each answer on a
    # connection that is kept would wait 40 ms for the caller's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise SocketError(
            f"port {port} of {host} cannot be had: {reason}; choose another by --port"
        ) from error
    return _listening(listener)


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket that only its owner may use; raises `SocketError`.

    uvicorn leaves a socket that it binds open to everyone. One that a dead daemon left is replaced.
    """
    if len(os.fsencode(path)) > _LONGEST_UNIX_PATH:
        message = (
            f"socket path {path} is longer than {_LONGEST_UNIX_PATH} bytes; choose a shorter one by --socket"
        )
        raise SocketError(message)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise SocketError(
            f"socket {path} cannot be bound: {error.strerror}; choose another by --socket"
        ) from error
    finally:
        os.umask(before)
    return _listening(listener)


def remove_unix(path: Path) -> None:
    """Take the socket's name away at the daemon's end."""
    with contextlib.suppress(OSError):
        path.unlink()


def _clear(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise SocketError(
            f"socket {path} cannot be bound: {error.strerror}; choose another by --socket"
        ) from error
    if not stat.S_ISSOCK(found.st_mode):
        raise SocketError(f"{path} exists and is no socket; move it away, or choose another by --socket")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SocketError(f"another daemon listens on {path}; stop it, or choose another by --socket")


def _unbound(path: Path, error: OSError) -> SocketError:
    return SocketError(f"socket {path} cannot be bound: {error.strerror}; choose another by --socket")


def _listening(listener: socket.socket) -> socket.socket:
    listener.listen(_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - takes it by position only
    return listener
