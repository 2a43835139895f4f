"""A real daemon in a process of its own, for tests and benchmarks; and waiting on a condition."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2

T = TypeVar("T")
# What runs the scripts of tests: not the environment's own, whose coverage would measure them too and take
# a quarter of a second of CPU for each. A test whose script needs a package names `sys.executable`.
SCRIPT_PYTHON: str = getattr(sys, "_base_executable", sys.executable)
LIMIT_S = 30.0  # no wait of a test is longer: these machines are slow and shared


def eventually(look: Callable[[], T], *, limit_s: float = LIMIT_S) -> T:
    """The first true value of `look`, which is called until the limit."""
    deadline = time.monotonic() + limit_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {limit_s:g} s")
        time.sleep(0.02)


class Daemon:
    """A real daemon in a process of its own, and its API."""

    def __init__(
        self, state_dir: Path, *options: str, env: dict[str, str] | None = None, start: bool = True
    ) -> None:
        self.state_dir = state_dir
        self._options = options
        self._env = {**os.environ, "TRAIND_CONFIG": "/nonexistent", **(env or {})}
        self.log = state_dir.with_suffix(".log")
        if start:
            self.start()

    def start(self) -> None:
        self.launch()
        self.connect()

    def launch(self, *program: str) -> None:
        """Start the process, by `python -m program`; it may never come up."""
        module = program or ("supervisor.cli",)
        command = [sys.executable, "-m", *module, "serve", "--state-dir", str(self.state_dir), "--port", "0"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self._options], env=self._env, stdin=subprocess.DEVNULL, stderr=log
            )

    def connect(self) -> None:
        """Wait until it is ready and open its API."""
        announced = eventually(self._announced)
        headers = {"Authorization": f"Bearer {(self.state_dir / 'token').read_text().strip()}"}
        self.http = httpx2.Client(base_url=announced["url"], headers=headers, timeout=60, trust_env=False)

    def _announced(self) -> Any:
        assert self.process.poll() is None, self.log.read_text()
        path = self.state_dir / "daemon.json"
        found = json.loads(path.read_text()) if path.exists() else {}
        return found if found.get("pid") == self.process.pid else None

    def submit(self, script: Path, **body: Any) -> Any:
        answer = self.http.post("/v1/runs", json={"script": str(script), "python": SCRIPT_PYTHON, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, run_id: str) -> Any:
        return self.http.get(f"/v1/runs/{run_id}").json()

    def wait(self, run_id: str, wanted: str = "finished") -> Any:
        answer = self.http.get(f"/v1/runs/{run_id}", params={"wait_for": wanted, "timeout_s": LIMIT_S})
        run = answer.json()
        assert run["wait"]["outcome"] != "timeout", (run, self.events(run_id))
        return run

    def events(self, run_id: str) -> list[Any]:
        items = self.http.get(f"/v1/runs/{run_id}/events", params={"limit": 500}).json()["items"]
        return list(items)

    def event(self, run_id: str, kind: str) -> Any:
        """Data of the newest event of this type, once there is one."""
        found = eventually(lambda: [item for item in self.events(run_id) if item["type"] == kind])
        return found[-1]["data"]

    def attempts(self, run_id: str) -> list[Any]:
        return list(self.http.get(f"/v1/runs/{run_id}/attempts").json()["items"])

    def stop_everything(self) -> None:
        runs = self.http.get("/v1/runs", params={"limit": 200}).json()["items"]
        for run in runs:
            if run["ended_at"] is None:
                self.http.post(f"/v1/runs/{run['id']}/stop", json={"grace_s": 0})
        for run in runs:
            self.wait(run["id"])

    def kill(self) -> None:
        self.http.close()
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def running_daemon(state_dir: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[Daemon]:
    daemon = Daemon(state_dir, *options, env=env)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.stop_everything()
            daemon.end()
