"""`doctor` and `serve --print-config` as processes: without a daemon, with one, with the wrong one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.traind import traind
from tests.daemon import Daemon
from tests.mounts import mounted


def levels(**env: str) -> tuple[int, dict[str, Any]]:
    done = traind("doctor", "--json", **env)
    return done.returncode, {item["check"]: item for item in json.loads(done.stdout)}


def test_without_daemon_and_gpu_it_says_what_to_do_and_fails_nothing(tmp_path: Path) -> None:
    env = {"TRAIND_STATE_DIR": str(tmp_path / "state"), "TRAIND_PORT": "9"}
    code, found = levels(**env)
    assert (code, found["daemon"]["level"], found["port"]["level"]) == (0, "warn", "ok")
    assert "traind serve" in found["daemon"]["fix"]
    text = traind("doctor", **env).stdout
    assert text.splitlines()[0].startswith(("warn  nvml: ", "ok    nvml: "))
    assert "      do: start one with `traind serve`" in text
    assert "\x1b" not in text
    assert not (tmp_path / "state").exists()


def test_a_file_system_without_holes_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "supervisor.cli", "doctor", "--json"]
    for kind, level in (("ramfs", "warn"), ("tmpfs", "ok")):
        asked = ["sh", "-c", 'TRAIND_STATE_DIR="$5" exec "$0" "$1" "$2" "$3" "$4"', *command]
        env = os.environ | {"TRAIND_CONFIG": str(tmp_path / "none"), "TRAIND_PORT": "9"}
        done = subprocess.run(
            mounted(kind, "mode=0700", asked), env=env, capture_output=True, text=True, check=False
        )
        found = {item["check"]: item for item in json.loads(done.stdout)}
        assert (found["holes"]["level"], "/mnt" in found["holes"]["found"]) == (level, True)


def test_a_directory_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, found = levels(TRAIND_STATE_DIR=str(tmp_path / "file"))
    assert (code, found["state directory"]["level"]) == (1, "fail")


def test_a_setting_that_cannot_be_used_fails(tmp_path: Path) -> None:
    code, found = levels(TRAIND_SAMPLE_EVERY_S="soon", TRAIND_STATE_DIR=str(tmp_path))
    assert (code, found["settings"]["level"]) == (1, "fail")
    assert "sample_every_s" in found["settings"]["found"]


def test_a_daemon_with_another_token_is_told(host_daemon: Daemon, tmp_path: Path) -> None:
    url, port = str(host_daemon.http.base_url), str(host_daemon.http.base_url.port)
    code, found = levels(TRAIND_URL=url, TRAIND_TOKEN="wrong", TRAIND_STATE_DIR=str(tmp_path))  # noqa: S106
    assert (code, found["daemon"]["level"]) == (1, "fail")
    assert "refuses our token" in found["daemon"]["found"]
    code, found = levels(TRAIND_PORT=port, TRAIND_STATE_DIR=str(tmp_path), TRAIND_URL="http://127.0.0.1:9")
    assert (code, found["port"]["level"]) == (1, "fail")


def test_our_daemon_and_its_port_are_well(host_daemon: Daemon) -> None:
    port = str(host_daemon.http.base_url.port)
    _, found = levels(TRAIND_STATE_DIR=str(host_daemon.state_dir), TRAIND_PORT=port)
    assert (found["daemon"]["level"], found["port"]["level"]) == ("ok", "ok")


def test_the_store_is_looked_at_and_left_as_it_is(host_daemon: Daemon, tmp_path: Path) -> None:
    _, found = levels(TRAIND_STATE_DIR=str(host_daemon.state_dir))
    assert found["store"]["level"] == "ok"
    assert found["store"]["found"].endswith(f"held by process {host_daemon.process.pid}")

    store = tmp_path / "traind.db"
    store.write_bytes(b"noise" * 1000)
    code, found = levels(TRAIND_STATE_DIR=str(tmp_path))
    assert (code, found["store"]["level"]) == (1, "fail")
    assert "is damaged" in found["store"]["found"]
    assert "keeps a damaged store aside" in found["store"]["fix"]
    store.rename(tmp_path / "traind.db.damaged-20261124T101500Z")
    _, found = levels(TRAIND_STATE_DIR=str(tmp_path))
    assert found["store"]["level"] == "warn"
    assert [item.name for item in tmp_path.iterdir()] == ["traind.db.damaged-20261124T101500Z"]


def test_the_configuration_is_shown_with_its_origins_and_without_secrets(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('token = "hidden"\n[checkpoint]\nafter_s = 30\n')
    arguments = ("serve", "--print-config", "--host", "::1")
    env = {"TRAIND_CONFIG": str(config), "TRAIND_PORT": "7", "TRAIND_STATE_DIR": str(tmp_path)}
    done = traind(*arguments, "--json", **env)
    found = {item["name"]: (item["value"], item["origin"]) for item in json.loads(done.stdout)}
    assert found["host"] == ("::1", "--host")
    assert found["port"] == (7, "TRAIND_PORT")
    assert found["checkpoint.after_s"] == (30.0, str(config))
    assert found["token"] == ("***", str(config))
    assert found["grace_s"] == (10.0, "default")
    text = traind(*arguments, **env).stdout
    assert "hidden" not in text
    assert text.splitlines()[0].split() == ["SETTING", "VALUE", "ORIGIN"]
    assert traind("serve", "--json").returncode == 2
