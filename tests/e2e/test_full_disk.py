"""The disk of the state directory fills up under a live run, and is freed again."""

import sys
from pathlib import Path
from typing import Any

import httpx2

from supervisor.process.tree import running
from tests.daemon import eventually, running_daemon
from tests.small_disk import fill, on_small_disk

TRAIN = """\
import os, pathlib, time
BATCH_SIZE = 64
here = pathlib.Path(__file__).parent
print("Epoch 1/3, Loss: 0.9", flush=True)
deadline = time.monotonic() + 90
while not (here / "finish").exists() and time.monotonic() < deadline:
    (here / "beat").write_text(str(time.monotonic()))
    time.sleep(0.02)
with open(here / "starts", "a") as file:
    file.write("ended\\n")
print("Epoch 3/3, Loss: 0.1", flush=True)
raise SystemExit(3)
"""


def test_a_full_disk_stops_no_training_and_all_is_recorded_once_there_is_space(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    on_small_disk(scenario, tmp_path / "disk", "4m")


def scenario(place: str) -> None:
    disk = Path(place)
    here = disk.parent
    options = ("--device", "host", "--host-capacity", "200MiB")
    with running_daemon(disk / "state", *options, env={"TRAIND_SAMPLE_EVERY_S": "0.05"}) as daemon:
        script = here / "train.py"
        run_id = daemon.submit(script, checkpoint={"after_s": 80})["id"]
        daemon.event(run_id, "progress")
        pid = daemon.attempts(run_id)[0]["pid"]
        filling = fill(disk)

        problems = eventually(lambda: _ready(daemon.http)["problems"])
        assert "full" in problems[0]
        key = {"Idempotency-Key": "once"}
        body = {"script": str(script), "python": sys.executable, "name": "later"}
        refused = daemon.http.post("/v1/runs", json=body, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_failed")
        assert "free space" in refused.json()["detail"]
        assert refused.json()["retryable"] is True
        stop = daemon.http.post(f"/v1/runs/{run_id}/stop", json={})
        assert stop.status_code == 503
        assert daemon.get(run_id)["state"] == "running"
        assert daemon.http.get("/v1/runs").status_code == 200
        beat = (here / "beat").read_text()
        eventually(lambda: (here / "beat").read_text() not in {beat, ""})
        assert daemon.attempts(run_id)[0]["pid"] == pid

        filling.unlink()
        eventually(lambda: _ready(daemon.http)["status"] == "ready")
        made = [daemon.http.post("/v1/runs", json=body, headers=key).json()["id"] for _ in range(2)]
        assert made[0] == made[1]
        daemon.http.post(f"/v1/runs/{made[0]}/stop", json={"grace_s": 0})
        (here / "finish").touch()
        run = daemon.wait(run_id)
        assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "exit_code", 3)
        numbers = [event["number"] for event in daemon.events(run_id)]
        assert numbers == sorted(set(numbers))
        assert run["progress"]["epoch"] == 3
        assert len(daemon.attempts(run_id)) == 1


def _ready(http: httpx2.Client) -> Any:
    return http.get("/readyz").json()


def test_training_that_ends_on_a_full_disk_is_recorded_once_there_is_space(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    on_small_disk(ending_scenario, tmp_path / "disk", "4m")


def ending_scenario(place: str) -> None:
    disk = Path(place)
    here = disk.parent
    with running_daemon(disk / "state", "--device", "host") as daemon:
        run_id = daemon.submit(here / "train.py", checkpoint={"after_s": 80})["id"]
        daemon.event(run_id, "progress")
        pid = daemon.attempts(run_id)[0]["pid"]
        filling = fill(disk)
        (here / "finish").touch()
        eventually((here / "starts").exists)
        eventually(lambda: not running(pid))
        eventually(lambda: _ready(daemon.http)["problems"])
        daemon.kill()

        filling.unlink()
        daemon.start()
        run = daemon.wait(run_id)
        assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "exit_code", 3)
