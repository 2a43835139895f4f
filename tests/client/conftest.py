"""A daemon of the test's own, which it may kill, and the environment that finds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon import Daemon, running_daemon


@pytest.fixture
def own_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    monkeypatch.setenv("TRAIND_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TRAIND_CONFIG", "/nonexistent")
    options = ("--device", "host", "--host-capacity", "200MiB")
    with running_daemon(tmp_path / "state", *options, env={"TRAIND_SAMPLE_EVERY_S": "0.05"}) as daemon:
        yield daemon


@pytest.fixture
def found_daemon(host_daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    monkeypatch.setenv("TRAIND_STATE_DIR", str(host_daemon.state_dir))
    monkeypatch.setenv("TRAIND_CONFIG", "/nonexistent")
    return host_daemon
