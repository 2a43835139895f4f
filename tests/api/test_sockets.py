"""The sockets that the daemon listens on."""

import socket
import stat
import time
from pathlib import Path

import httpx2
import pytest

from supervisor.api.sockets import SocketError, bind_tcp, bind_unix


@pytest.mark.alone
def test_answers_on_a_kept_connection_wait_for_no_acknowledgement(http: httpx2.Client) -> None:
    http.get("/healthz")
    began = time.monotonic()
    for _ in range(50):
        http.get("/healthz")
    assert time.monotonic() - began < 50 * 0.03  # with Nagle's algorithm each takes 40 ms


def test_port_in_use_says_what_to_do() -> None:
    with bind_tcp("127.0.0.1", 0) as taken, pytest.raises(SocketError, match="choose another by --port"):
        bind_tcp("127.0.0.1", taken.getsockname()[1])


def test_unix_socket_is_its_owners_from_the_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with bind_unix(path) as listener:
        assert listener.family is socket.AF_UNIX
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600


def test_socket_of_a_dead_daemon_is_replaced_and_a_living_ones_is_not(tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    bind_unix(path).close()
    with bind_unix(path), pytest.raises(SocketError, match="another daemon listens"):
        bind_unix(path)


def test_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(SocketError, match="is no socket"):
        bind_unix(path)
    assert path.read_text() == "mine"


def test_path_that_cannot_be_bound_says_why(tmp_path: Path) -> None:
    with pytest.raises(SocketError, match="No such file"):
        bind_unix(tmp_path / "missing" / "api.sock")
    with pytest.raises(SocketError, match="longer than 107 bytes"):
        bind_unix(tmp_path / ("x" * 120))
