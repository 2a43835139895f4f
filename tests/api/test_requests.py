"""Requests to a run over HTTP: guarded stops, relaunches, and the script's return."""

from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.api.answers import problem
from tests.daemon import Daemon, eventually

TRAINING = """\
import pathlib, time
BATCH_SIZE = 64
print("Fold 1/5, Epoch 2/10, Loss: 0.5", BATCH_SIZE)
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


def test_relaunch_with_another_size_edits_the_script_and_restore_brings_it_back(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAINING)
    original = path.read_bytes()
    run_id = str(host_daemon.submit(path)["id"])
    base, http = f"/v1/runs/{run_id}", host_daemon.http
    host_daemon.event(run_id, "progress")
    problem(http.post(f"{base}/restore"), 409, "run_live")
    answer = http.post(f"{base}/relaunch", json={"batch_size": 96, "reason": "a try", "if_attempt": 1})
    assert (answer.status_code, answer.json()["id"]) == (202, run_id)
    eventually(lambda: host_daemon.get(run_id)["attempt"] == 2 and host_daemon.get(run_id)["phase"])
    problem(http.post(f"{base}/relaunch", json={"if_attempt": 1}), 409, "attempt_conflict")
    problem(http.post(f"{base}/stop", json={"if_attempt": 1}), 409, "attempt_conflict")
    assert b"BATCH_SIZE = 96" in path.read_bytes()
    (path.parent / "finish").touch()
    assert host_daemon.wait(run_id)["state"] == "succeeded"
    assert [item["outcome"] for item in host_daemon.attempts(run_id)] == ["superseded", "completed"]
    problem(http.post(f"{base}/relaunch"), 409, "not_relaunchable")
    restored = http.post(f"{base}/restore").json()
    assert (restored["script"], restored["restored"]) == (str(path), True)
    assert path.read_bytes() == original
    assert http.post(f"{base}/restore").json()["restored"] is False
    path.write_text("theirs = 1")
    problem(http.post(f"{base}/restore"), 409, "script_changed")
    assert http.post(f"{base}/restore", json={"force": True}).json()["restored"] is True


def test_relaunch_that_cannot_be_edited_names_why_and_leaves_the_run_alone(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAINING.replace("BATCH_SIZE", "ROWS"))
    run_id = str(host_daemon.submit(path)["id"])
    host_daemon.event(run_id, "progress")
    refused = host_daemon.http.post(f"/v1/runs/{run_id}/relaunch", json={"batch_size": 96})
    problem(refused, 409, "edit_refused")
    assert host_daemon.get(run_id)["attempt"] == 1
    stopped = host_daemon.http.post(f"/v1/runs/{run_id}/stop", json={"if_attempt": 1, "grace_s": 0})
    assert stopped.status_code == 202
    assert host_daemon.wait(run_id)["state"] == "stopped"


def test_request_that_makes_no_sense_says_what_to_send(
    http: httpx2.Client, host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    host_daemon.wait(host_daemon.submit(script("pass"))["id"])
    for path in ("stop", "relaunch", "restore"):
        problem(http.post(f"/v1/runs/nowhere/{path}"), 404, "run_not_found")
        problem(http.post(f"/v1/runs/latest/{path}", json={"now": 1}), 422, "validation_failed")
    for body in ({"batch_size": 0}, {"batch_size": "96"}, {"if_attempt": True}, {"reason": "x" * 201}):
        problem(http.post("/v1/runs/latest/relaunch", json=body), 422, "validation_failed")
    problem(http.post("/v1/runs/latest/restore", json={"force": 1}), 422, "validation_failed")
