"""sd_notify: what a service manager's socket receives, of the parts and of a real daemon."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.api.notify import ServiceManager, status_field, status_text
from supervisor.domain.run import RunState
from tests.cli.traind import WAITING
from tests.daemon import Daemon, eventually


class Manager:
    """The other end: a bound datagram socket and all that came so far."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.told: list[str] = []

    def read(self) -> list[str]:
        """All fields that came so far, in order."""
        while True:
            try:
                self.told += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.told

    def fresh(self) -> list[str]:
        """The fields that came since the last look."""
        seen = len(self.told)
        return self.read()[seen:]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(str(tmp_path / "notify"))
    with closing(found.socket):
        yield found


@pytest.fixture
def started(tmp_path: Path, manager: Manager) -> Iterator[Daemon]:
    """A daemon under a manager that wants a sign of life each 0.4 s."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
    daemon = Daemon(tmp_path / "state", "--device", "host", env=env)
    try:
        yield daemon
    finally:
        daemon.process.send_signal(signal.SIGCONT)
        if daemon.process.poll() is None:
            daemon.stop_everything()
            daemon.end()


def test_fields_arrive_as_one_datagram(manager: Manager, tmp_path: Path) -> None:
    assert ServiceManager(str(tmp_path / "notify")).tell("READY=1", "STATUS=fine")
    assert manager.socket.recv(4096) == b"READY=1\nSTATUS=fine"


def test_an_abstract_address_is_reached() -> None:
    address = f"@traind-test-{os.getpid()}-{time.monotonic_ns()}"
    with closing(Manager(address).socket) as receiver:
        assert ServiceManager(address).tell("READY=1")
        assert receiver.recv(4096) == b"READY=1"


@pytest.mark.parametrize(
    "address", [None, "/nonexistent/notify", "relative", "/" + "x" * 200, "@" + "x" * 200]
)
def test_a_manager_that_cannot_be_reached_is_no_trouble(address: str | None) -> None:
    assert not ServiceManager(address).tell("READY=1")


def test_a_manager_that_does_not_read_holds_nobody_up(manager: Manager, tmp_path: Path) -> None:
    service = ServiceManager(str(tmp_path / "notify"))
    assert not all(service.tell("WATCHDOG=1") for _ in range(100_000))


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_for_this_process_alone(environ: dict[str, str], watchdog_s: float | None) -> None:
    assert ServiceManager.of({"NOTIFY_SOCKET": "/n", **environ}, 7) == ServiceManager("/n", watchdog_s)


def test_without_a_manager_there_is_no_watchdog() -> None:
    assert ServiceManager.of({"WATCHDOG_USEC": "3000000"}, 7) == ServiceManager()
    assert ServiceManager.of({"NOTIFY_SOCKET": ""}, 7) == ServiceManager()


def test_a_status_is_one_line_with_the_runs_by_state() -> None:
    states = [RunState.RUNNING, RunState.QUEUED, RunState.RUNNING]
    assert status_text(states) == "ready: 1 queued, 2 running"
    assert status_text([]) == "ready: no live run"
    assert status_field("a\nREADY=1\r b") == "STATUS=a READY=1 b"


def test_a_daemon_tells_of_its_runs_from_the_first_to_the_last_word(
    started: Daemon, manager: Manager, script: Callable[..., Path]
) -> None:
    first = eventually(lambda: "READY=1" in manager.read() and list(manager.told))
    assert first[0].startswith("STATUS=starting")
    assert first[1].startswith("EXTEND_TIMEOUT_USEC=")
    assert first[first.index("READY=1") + 1] == "STATUS=ready: no live run"

    path = script(WAITING)
    run_id = started.submit(path)["id"]
    eventually(lambda: "STATUS=ready: 1 running" in manager.read())
    (path.parent / "finish").touch()
    started.wait(run_id)
    eventually(lambda: manager.read()[-1] == "WATCHDOG=1" and _statuses(manager)[-1] == "ready: no live run")

    assert started.end() == 0
    told = manager.fresh()
    assert told[told.index("STOPPING=1") + 1] == "STATUS=stopping; live runs go on"
    assert _statuses(manager)[-1] == "stopped; live runs go on"


def test_ready_comes_after_the_recovery_of_live_runs(
    started: Daemon, manager: Manager, script: Callable[..., Path]
) -> None:
    run_id = started.submit(script(WAITING))["id"]
    started.event(run_id, "progress")
    started.kill()
    before = len(manager.read())

    started.start()
    told = eventually(lambda: "READY=1" in manager.read()[before:] and manager.told[before:])
    assert told[told.index("READY=1") + 1] == "STATUS=ready: 1 running"


def test_signs_of_life_end_with_the_loop_that_supervises(started: Daemon, manager: Manager) -> None:
    eventually(lambda: manager.fresh().count("WATCHDOG=1") > 0)
    eventually(lambda: manager.fresh().count("WATCHDOG=1") > 0)

    started.process.send_signal(signal.SIGSTOP)
    eventually(lambda: "T" in Path(f"/proc/{started.process.pid}/stat").read_text().rpartition(")")[2])
    manager.fresh()
    time.sleep(1.2)  # three times what is allowed: that nothing comes cannot be waited for
    assert manager.fresh() == []

    started.process.send_signal(signal.SIGCONT)
    eventually(lambda: "WATCHDOG=1" in manager.fresh())


def test_the_watchdogs_signal_leaves_a_trace_and_training_goes_on(
    started: Daemon, script: Callable[..., Path]
) -> None:
    run_id = started.submit(script(WAITING))["id"]
    started.event(run_id, "progress")

    started.process.send_signal(signal.SIGABRT)
    assert started.process.wait(20) == -signal.SIGABRT
    assert "most recent call first" in started.log.read_text()

    started.http.close()
    started.start()
    assert started.event(run_id, "attempt_adopted")["pid"] == started.attempts(run_id)[0]["pid"]


def test_a_daemon_that_cannot_start_says_why_and_is_never_ready(started: Daemon, tmp_path: Path) -> None:
    with closing(Manager(str(tmp_path / "other")).socket) as receiver:
        with pytest.raises(AssertionError, match="in use by process"):
            Daemon(started.state_dir, env={"NOTIFY_SOCKET": str(tmp_path / "other")})
        told = b""
        while b"in use" not in told:
            told = receiver.recv(4096)
            assert b"READY" not in told
    assert told.startswith(b"STATUS=cannot start: state directory")


def test_nothing_of_the_manager_reaches_training_or_its_shim(
    started: Daemon, script: Callable[..., Path]
) -> None:
    path = script("import os\nprint(sorted(os.environ), flush=True)\n" + WAITING)
    run_id = started.submit(path)["id"]
    started.wait(run_id, "running")
    attempt = started.state_dir / "runs" / run_id / "attempt-1"
    names = eventually(lambda: "[" in (attempt / "log").read_text() and (attempt / "log").read_text())
    shim_pid = json.loads((attempt / "started.json").read_text())["shim_pid"]
    environ = Path(f"/proc/{shim_pid}/environ").read_text()
    for word in ("NOTIFY", "WATCHDOG"):
        assert word not in names
        assert word not in environ


def _statuses(manager: Manager) -> list[str]:
    return [field.removeprefix("STATUS=") for field in manager.read() if field.startswith("STATUS=")]
