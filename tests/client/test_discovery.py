"""Where the daemon is: environment, configuration, announcement."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.client import ClientError, DaemonUnreachable, Location, discover
from supervisor.client.discovery import is_alive


def environment(tmp_path: Path, config: str | None = None, **more: str) -> dict[str, str]:
    path = tmp_path / "config.toml"
    if config is not None:
        path.write_text(config)
    return {"TRAIND_CONFIG": str(path), "TRAIND_STATE_DIR": str(tmp_path), **more}


def announce(tmp_path: Path, **found: Any) -> None:
    (tmp_path / "daemon.json").write_text(json.dumps(found))


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_the_announced_daemon_is_found_with_its_token(tmp_path: Path) -> None:
    announce(tmp_path, url="http://127.0.0.1:4", socket="/s", pid=os.getpid())
    (tmp_path / "token").write_text("secret\n")

    assert discover(environment(tmp_path)) == Location("http://127.0.0.1:4", "secret", os.getpid(), tmp_path)


def test_a_daemon_with_a_socket_alone_is_found(tmp_path: Path) -> None:
    announce(tmp_path, socket="/s", pid=os.getpid())
    assert discover(environment(tmp_path)).url == "unix:/s"


def test_the_environment_goes_first(tmp_path: Path) -> None:
    announce(tmp_path, url="http://127.0.0.1:4", pid=dead_pid())
    (tmp_path / "token").write_text("secret")

    found = discover(environment(tmp_path) | {"TRAIND_URL": "http://there:1", "TRAIND_TOKEN": "given"})
    assert (found.url, found.token) == ("http://there:1", "given")


def test_a_daemon_that_died_is_told_from_one_that_never_was(tmp_path: Path) -> None:
    pid = dead_pid()
    announce(tmp_path, url="http://127.0.0.1:4", pid=pid)
    with pytest.raises(DaemonUnreachable, match=f"no daemon is running: process {pid}"):
        discover(environment(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}"])
def test_without_a_readable_announcement_the_configured_address_is_meant(tmp_path: Path, text: str) -> None:
    (tmp_path / "daemon.json").write_text(text)

    assert discover(environment(tmp_path)).url == "http://127.0.0.1:8724"
    assert discover(environment(tmp_path, 'host = "::1"\nport = 9\ntoken = "t"')).url == "http://[::1]:9"
    assert discover(environment(tmp_path, TRAIND_PORT="5")).url == "http://[::1]:5"


def test_the_state_directory_may_stand_in_the_configuration(tmp_path: Path) -> None:
    announce(tmp_path, url="http://127.0.0.1:4", pid=os.getpid())
    environ = environment(tmp_path, f'state_dir = "{tmp_path}"')
    del environ["TRAIND_STATE_DIR"]

    assert discover(environ).url == "http://127.0.0.1:4"


def test_the_default_state_directory_is_the_users_own(tmp_path: Path) -> None:
    environ = {"TRAIND_CONFIG": "/nonexistent", "XDG_STATE_HOME": str(tmp_path)}
    assert discover(environ).state_dir == tmp_path / "traind"
    assert discover(environ | {"STATE_DIRECTORY": "/a:/b"}).state_dir == Path("/a")


def test_the_systems_service_is_meant_where_the_user_has_no_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, own = tmp_path / "system", tmp_path / "own" / "traind"
    environ = {"TRAIND_CONFIG": "/nonexistent", "XDG_STATE_HOME": str(own.parent)}
    monkeypatch.setattr("supervisor.client.discovery.SYSTEM_STATE_DIR", system)
    assert discover(environ).state_dir == own

    for place, url in ((system, "http://127.0.0.1:4"), (own, "http://127.0.0.1:5")):
        place.mkdir(parents=True)
        announce(place, url=url, pid=os.getpid())
        (place / "token").write_text("secret")
        assert discover(environ) == Location(url, "secret", os.getpid(), place)
    assert discover(environ | {"TRAIND_STATE_DIR": "/elsewhere"}).state_dir == Path("/elsewhere")


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"config\.toml cannot be read"):
        discover(environment(tmp_path, "port = ="))
    (tmp_path / "config.toml").unlink()
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ClientError, match=r"config\.toml cannot be read"):
        discover(environment(tmp_path))


def test_liveness_of_processes() -> None:
    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(dead_pid())
