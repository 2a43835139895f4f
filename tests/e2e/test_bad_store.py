"""Real daemons on a store that is damaged, too new, another's, read-only, or taken away under them."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.process.tree import running
from tests.daemon import Daemon, running_daemon
from tests.small_disk import on_small_disk

TRAIN = """\
import pathlib, sys, time
BATCH_SIZE = 64
name = sys.argv[1]
with open("starts", "a") as file:
    file.write(name)
print("Epoch 1/3, Loss: 0.9", flush=True)
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
print("Epoch 3/3, Loss: 0.1")
sys.exit(3)
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running_daemon(tmp_path / "state", "--device", "host") as started:
        yield started


def contents(directory: Path) -> dict[str, str]:
    """Every file of a store and its digest."""
    found = directory.glob("traind.db*")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def refusal(state_dir: Path) -> str:
    """The one line with which a daemon refuses to start."""
    command = [sys.executable, "-m", "supervisor.cli", "serve", "--state-dir", str(state_dir)]
    options = ["--port", "0", "--device", "host"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_live_training_is_named_or_taken_up_again_when_the_store_is_nothing_but_noise(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path, args=["a"], name="known")["id"]
    daemon.event(run_id, "progress")
    pid = daemon.attempts(run_id)[0]["pid"]
    record = daemon.state_dir / "runs" / run_id / "run.json"
    kept = record.read_bytes()

    record.unlink()
    aside, notices = _started_on_noise(daemon)
    assert aside.name in notices[0]
    assert notices[1] == f"run {run_id} lives and cannot be taken up again; `kill {pid}` stops it"
    assert running(pid)

    record.write_bytes(kept)
    aside, notices = _started_on_noise(daemon)
    assert len(notices) == 1
    assert aside.name in daemon.log.read_text()
    assert daemon.event(run_id, "attempt_adopted")["pid"] == pid
    assert "damaged" in daemon.event(run_id, "warning")["text"]
    (path.parent / "finish").touch()
    run = daemon.wait(run_id)
    assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "exit_code", 3)
    assert (run["name"], run["progress"]["epoch"]) == ("known", 3)
    assert (path.parent / "starts").read_text() == "a"
    assert len(list(daemon.state_dir.glob("traind.db.damaged-*"))) == 2


def _started_on_noise(daemon: Daemon) -> tuple[Path, list[str]]:
    """Kill the daemon, make noise of its store, start it: what was kept aside, and what it says."""
    daemon.kill()
    before = set(daemon.state_dir.glob("traind.db.damaged-*"))
    store = daemon.state_dir / "traind.db"
    noise = os.urandom(store.stat().st_size)
    store.write_bytes(noise)
    for ending in ("-wal", "-shm"):
        store.with_name(f"traind.db{ending}").unlink()
    daemon.start()
    (aside,) = set(daemon.state_dir.glob("traind.db.damaged-*")) - before
    assert aside.read_bytes() == noise
    ready = daemon.http.get("/readyz")
    assert ready.status_code == 200
    return aside, ready.json()["notices"]


def test_the_lock_is_free_at_once_after_a_kill_though_training_goes_on(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    run_id = daemon.submit(path, args=["a"])["id"]
    daemon.event(run_id, "progress")
    started = json.loads((daemon.state_dir / "runs" / run_id / "attempt-1" / "started.json").read_text())
    daemon.kill()
    for pid in (started["shim_pid"], started["pid"]):
        held = {str(item.readlink()) for item in Path(f"/proc/{pid}/fd").iterdir()}
        assert not held & {str(daemon.state_dir / name) for name in ("lock", "traind.db", "traind.db-wal")}

    daemon.start()
    (path.parent / "finish").touch()
    assert daemon.wait(run_id)["exit_code"] == 3


def test_a_newer_schema_and_another_s_database_are_refused_and_left_as_they_are(daemon: Daemon) -> None:
    store = daemon.state_dir / "traind.db"
    daemon.kill()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = contents(daemon.state_dir)
    assert "has schema 99" in refusal(daemon.state_dir)
    assert contents(daemon.state_dir) == before

    store.unlink()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("CREATE TABLE cookies (name)")
    before = contents(daemon.state_dir)
    assert "is another program's database: choose another place" in refusal(daemon.state_dir)
    assert contents(daemon.state_dir) == before


def test_a_state_directory_that_is_taken_away_is_told_and_nothing_is_written_past_it(
    daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAIN)
    away = daemon.state_dir.with_name("away")
    daemon.state_dir.rename(away)
    body = {"script": str(path), "python": sys.executable, "args": ["a"]}
    refused = daemon.http.post("/v1/runs", json=body)
    ready = daemon.http.get("/readyz")
    assert (refused.status_code, refused.json()["code"]) == (503, "store_failed")
    assert "put the state directory back" in refused.json()["detail"]
    assert (ready.status_code, ready.json()["problems"]) == (503, [refused.json()["detail"]])
    assert not daemon.state_dir.exists()

    away.rename(daemon.state_dir)
    assert daemon.http.get("/readyz").status_code == 200
    run_id = daemon.http.post("/v1/runs", json=body).json()["id"]
    (path.parent / "finish").touch()
    assert daemon.wait(run_id)["exit_code"] == 3


def test_a_read_only_disk_or_store_is_refused_in_one_sentence(tmp_path: Path) -> None:
    on_small_disk(read_only_scenario, tmp_path / "disk", "8m")


def read_only_scenario(place: str) -> None:
    disk = Path(place)
    with running_daemon(disk / "state", "--device", "host"):
        pass
    store = disk / "state" / "traind.db"
    subprocess.run(["mount", "--bind", str(store), str(store)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(store)], check=True)
    assert "make it writable, or choose another by --state-dir" in refusal(disk / "state")
    subprocess.run(["umount", str(store)], check=True)

    before = contents(disk / "state")
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    assert "cannot be written: Read-only file system; choose another" in refusal(disk / "state")
    assert contents(disk / "state") == before
    subprocess.run(["mount", "-o", "remount,rw", place], check=True)
    assert shutil.disk_usage(place).free > 0


def test_a_start_that_cannot_say_where_it_listens_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state" / "daemon.json").mkdir(parents=True)
    assert "daemon.json cannot be written: Is a directory; free space there" in refusal(tmp_path / "state")
