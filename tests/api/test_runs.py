"""The API over real HTTP: submitting, looking, waiting, stopping, and what it refuses."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.api.answers import problem, stream
from tests.daemon import Daemon

WAITING = """\
import pathlib, time
print("Fold 1/5, Epoch 2/10, Loss: 0.5")
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@pytest.mark.alone
def test_submission_answers_at_once_with_the_runs_place(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    began = time.monotonic()
    answer = host_daemon.http.post("/v1/runs", json={"script": str(script("pass"))})
    assert time.monotonic() - began < 1
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["links"]["self"]
    assert answer.json()["state"] in {"queued", "starting", "running"}


def test_run_is_found_by_name_prefix_and_latest(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    run_id = host_daemon.submit(script("pass"), name="by-name")["id"]
    for reference in (run_id, run_id[:11], "by-name", "latest"):
        assert host_daemon.get(reference)["id"] == run_id


def test_wait_that_times_out_is_an_ordinary_answer_that_says_what_next(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    run_id = host_daemon.submit(path)["id"]
    answer = host_daemon.http.get(f"/v1/runs/{run_id}", params={"wait_for": "finished", "timeout_s": 0.05})
    (path.parent / "finish").touch()
    assert answer.status_code == 200
    assert answer.json()["wait"] == {
        "outcome": "timeout",
        "next": f"/v1/runs/{run_id}?wait_for=finished",
    }
    assert host_daemon.wait(run_id)["wait"]["outcome"] == "reached"


def test_wait_for_the_checkpoint_of_a_run_that_ends_before_it_ends_with_it(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    run_id = host_daemon.submit(script("pass"))["id"]
    assert host_daemon.wait(run_id, "checkpoint")["wait"]["outcome"] == "ended"


def test_stop_is_graceful_and_may_be_repeated(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script(
        """
        import pathlib, signal, sys, time
        def save(*_):
            pathlib.Path("saved").touch()
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("Fold 1/5, Epoch 1/2, Loss: 1.0")
        time.sleep(60)
        """
    )
    run_id = host_daemon.submit(path)["id"]
    host_daemon.event(run_id, "progress")
    first = host_daemon.http.post(f"/v1/runs/{run_id}/stop", json={"grace_s": 20})
    second = host_daemon.http.post(f"/v1/runs/{run_id}/stop")
    run = host_daemon.wait(run_id)
    third = host_daemon.http.post(f"/v1/runs/{run_id}/stop")
    assert [answer.status_code for answer in (first, second, third)] == [202, 202, 202]
    assert (run["state"], run["reason"], run["exit_code"]) == ("stopped", "user_request", 0)
    assert (path.parent / "saved").exists()
    assert third.json()["state"] == "stopped"


def test_follow_up_runs_after_training_and_its_failure_is_the_runs(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script("print('trained')")
    script("raise SystemExit(4)", "predict.py")
    run_id = host_daemon.submit(path, follow_up={"script": "predict.py"})["id"]
    run = host_daemon.wait(run_id)
    assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "follow_up_failed", 4)
    assert [item["stage"] for item in host_daemon.attempts(run_id)] == ["training", "follow_up"]


def test_script_has_its_environment_and_none_of_the_daemons_secrets(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        """
        import os, sys
        for name in ("TRAIND_RUN_ID", "TRAIND_ATTEMPT", "TRAIND_DEVICE_MEMORY", "PYTHONUNBUFFERED", "MINE"):
            print(name, os.environ[name])
        print("token", "TRAIND_TOKEN" in os.environ, sys.stdin.read() == "", sys.argv[1:])
        """
    )
    run_id = host_daemon.submit(path, env={"MINE": "a=b c"}, args=["--x", "1 2"])["id"]
    host_daemon.wait(run_id)
    text = host_daemon.http.get(f"/v1/runs/{run_id}/log").text
    assert text == (
        f"TRAIND_RUN_ID {run_id}\nTRAIND_ATTEMPT 1\nTRAIND_DEVICE_MEMORY {200 * 2**20}\n"
        "PYTHONUNBUFFERED 1\nMINE a=b c\ntoken False True ['--x', '1 2']\n"
    )


def test_log_is_read_by_offset_and_frames_are_collapsed(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script("import sys; sys.stdout.write('one\\n10%\\r20%\\r30%\\ntwo\\n')")
    run_id = host_daemon.submit(path)["id"]
    host_daemon.wait(run_id)
    http = host_daemon.http
    answer = http.get(f"/v1/runs/{run_id}/log")
    assert answer.text == "one\n30%\ntwo\n"
    assert answer.headers["traind-log-size"] == "20"
    raw = http.get(f"/v1/runs/{run_id}/log", params={"offset": 4, "limit": 8, "raw": True})
    assert raw.content == b"10%\r20%\r"
    assert raw.headers["traind-log-next"] == "12"
    problem(http.get(f"/v1/runs/{run_id}/log", params={"offset": 21}), 409, "offset_past_end")
    problem(http.get(f"/v1/runs/{run_id}/log", params={"attempt": 9}), 404, "attempt_not_found")


def test_log_stream_carries_every_byte_with_its_offset_and_ends_with_the_exit_code(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        "import time\nfor n in range(50):\n    print('zeile', n, 'ü')\n    time.sleep(0.002)\nexit(5)"
    )
    run_id = host_daemon.submit(path)["id"]
    events = stream(host_daemon.http, f"/v1/runs/{run_id}/log?follow=true&offset=0")
    text = "".join(data for kind, _, data in events if kind == "log")
    kind, offset, last = events[-1]
    assert text == "".join(f"zeile {n} ü\n" for n in range(50))
    assert (kind, last["next"], offset) == ("end", len(text.encode()), str(len(text.encode())))
    half = events[len(events) // 2][1]
    again = stream(host_daemon.http, f"/v1/runs/{run_id}/log?follow=true", {"Last-Event-ID": half})
    assert "".join(data for kind, _, data in again if kind == "log") == text.encode()[int(half) :].decode()


def test_event_stream_resumes_after_the_last_event_seen(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    run_id = host_daemon.submit(script("print('Fold 1/5, Epoch 1/2, Loss: 1.0')"))["id"]
    host_daemon.wait(run_id)
    whole = stream(host_daemon.http, f"/v1/runs/{run_id}/events")
    numbers = [data["number"] for kind, _, data in whole if kind != "end"]
    rest = stream(host_daemon.http, f"/v1/runs/{run_id}/events", {"Last-Event-ID": "3"})
    assert numbers == list(range(1, len(numbers) + 1))
    assert [data["number"] for kind, _, data in rest if kind != "end"] == numbers[3:]
    assert whole[-1][2]["state"] == "succeeded"
    page = host_daemon.http.get(f"/v1/runs/{run_id}/events", params={"after": 2, "limit": 2}).json()
    assert ([item["number"] for item in page["items"]], page["next_after"]) == ([3, 4], 4)


def test_list_pages_from_newest_to_oldest_without_repeating(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    made = [host_daemon.submit(script("pass"))["id"] for _ in range(3)]
    first = host_daemon.http.get("/v1/runs", params={"limit": 2}).json()
    second = host_daemon.http.get("/v1/runs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    found = [item["id"] for item in first["items"] + second["items"]]
    assert found[:3] == made[::-1]
    problem(host_daemon.http.get("/v1/runs", params={"cursor": "nonsense"}), 404, "bad_cursor")
    for run_id in made:
        host_daemon.wait(run_id)
    ended = host_daemon.http.get("/v1/runs", params={"state": "succeeded", "limit": 3}).json()["items"]
    assert {item["state"] for item in ended} == {"succeeded"}


def test_status_is_text_for_curl_and_json_on_request(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    run_id = host_daemon.submit(path, name="shown")["id"]
    host_daemon.event(run_id, "progress")
    text = httpx2.get(f"{host_daemon.http.base_url}/status", trust_env=False).text
    (path.parent / "finish").touch()
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.startswith(run_id))
    assert "fold 1/5 ep 2/10" in row
    assert lines[-1].startswith("next: traind wait ")
    data = host_daemon.http.get("/status", headers={"Accept": "application/json"}).json()
    assert run_id in [item["id"] for item in data["items"]]


def test_health_needs_no_token(host_daemon: Daemon) -> None:
    answer = httpx2.get(f"{host_daemon.http.base_url}/healthz", trust_env=False)
    assert answer.json() == {"status": "ok"}


def test_missing_script_is_refused(http: httpx2.Client, tmp_path: Path) -> None:
    detail = problem(
        http.post("/v1/runs", json={"script": str(tmp_path / "no.py")}), 404, "script_not_readable"
    )
    assert str(tmp_path / "no.py") in detail


def test_directory_as_script_is_refused(http: httpx2.Client, tmp_path: Path) -> None:
    problem(http.post("/v1/runs", json={"script": str(tmp_path)}), 404, "script_not_readable")


def test_relative_script_without_a_directory_is_refused(http: httpx2.Client) -> None:
    problem(http.post("/v1/runs", json={"script": "train.py"}), 404, "script_not_absolute")


def test_missing_directory_is_refused(http: httpx2.Client, script: Callable[..., Path]) -> None:
    body = {"script": str(script("pass")), "cwd": "/nowhere"}
    problem(http.post("/v1/runs", json=body), 404, "cwd_not_found")


@pytest.mark.parametrize("text", ["def broken(:\n    pass\n", "#!/bin/sh\necho $HOME\n", "\x00\x01"])
def test_script_that_is_not_python_is_refused_with_the_place(
    http: httpx2.Client, script: Callable[..., Path], text: str
) -> None:
    detail = problem(http.post("/v1/runs", json={"script": str(script(text))}), 422, "script_not_python")
    assert "train.py" in detail


def test_a_notebook_is_refused_with_its_cell_and_what_to_do(
    http: httpx2.Client, script: Callable[..., Path]
) -> None:
    cells = [{"cell_type": "code", "source": ["BATCH_SIZE = 64\n"], "outputs": [], "execution_count": None}]
    path = script(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}), "train.ipynb")
    detail = problem(http.post("/v1/runs", json={"script": str(path)}), 422, "script_not_python")
    assert "cell 1, line 1" in detail
    assert "jupyter nbconvert --to script train.ipynb" in detail


def test_a_line_without_a_batch_size_is_refused_with_the_candidates(
    http: httpx2.Client, script: Callable[..., Path]
) -> None:
    path = script("bs = 64\nbatch_size = 32\nname = 'x'\na, b = 1, 2\n")
    for line in (3, 4, 99):
        answer = http.post("/v1/runs", json={"script": str(path), "batch_size_at": line})
        assert f"batch_size_at {line}" in problem(answer, 422, "batch_size_not_there")
        assert [sorted(item) for item in answer.json()["candidates"]] == [
            ["line", "name", "value", "why"]
        ] * 2
    for wrong in (0, "1", 1.5, True):
        body = {"script": str(path), "batch_size_at": wrong}
        problem(http.post("/v1/runs", json=body), 422, "validation_failed")
    body = {"script": str(path), "sizing": {"edit": "both"}}
    problem(http.post("/v1/runs", json=body), 422, "validation_failed")


def test_a_line_and_a_way_of_editing_are_taken(http: httpx2.Client, script: Callable[..., Path]) -> None:
    body = {
        "script": str(script("bs = 64\nbatch_size = 32\n")),
        "batch_size_at": 2,
        "sizing": {"edit": "args"},
    }
    made = http.post("/v1/runs", json=body)
    assert made.status_code == 201, made.text
    done = http.get(f"/v1/runs/{made.json()['id']}?wait_for=finished&timeout_s=30").json()
    assert done["batch_size"] == 32


def test_missing_interpreter_is_refused(http: httpx2.Client, script: Callable[..., Path]) -> None:
    for python in ("/no/such/python", "no-such-python"):
        body = {"script": str(script("pass")), "python": python}
        assert python in problem(http.post("/v1/runs", json=body), 404, "python_not_found")


def test_unknown_field_is_refused_by_name(http: httpx2.Client, script: Callable[..., Path]) -> None:
    body = {"script": str(script("pass")), "batchsize": 3}
    assert "batchsize" in problem(http.post("/v1/runs", json=body), 422, "validation_failed")


def test_script_that_fails_an_enforced_review_is_refused_with_the_fix(
    http: httpx2.Client, script: Callable[..., Path]
) -> None:
    body = {"script": str(script("BATCH_SIZE = 8")), "kind": "image", "review": "enforce"}
    detail = problem(http.post("/v1/runs", json=body), 422, "review_rejected")
    assert "set BATCH_SIZE to 128" in detail
    for wrong in ({"kind": "sound"}, {"review": "maybe"}):
        problem(http.post("/v1/runs", json={**body, **wrong}), 422, "validation_failed")


@pytest.mark.alone
def test_submission_of_a_long_script_answers_in_under_a_second(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    block = "def step{0}(x):\n    y = [x + {0}, x * {0}]\n    return {{'sum': sum(y), 'size': len(y)}}\n"
    path = script("import sys\n" + "".join(block.format(n) for n in range(1000)))
    took = []
    for _ in range(3):
        began = time.monotonic()
        answer = host_daemon.http.post("/v1/runs", json={"script": str(path)})
        took.append(time.monotonic() - began)
        assert answer.status_code == 201
    assert min(took) < 1, took


def test_unknown_device_is_refused(http: httpx2.Client, script: Callable[..., Path]) -> None:
    body = {"script": str(script("pass")), "devices": ["gpu7"]}
    assert "gpu7" in problem(http.post("/v1/runs", json=body), 404, "no_such_device")


def test_refused_submission_leaves_no_run_behind(http: httpx2.Client) -> None:
    before = http.get("/v1/runs").json()["items"]
    http.post("/v1/runs", json={"script": "/no/such.py"})
    assert [item["id"] for item in http.get("/v1/runs").json()["items"]] == [item["id"] for item in before]


def test_unknown_run_and_ambiguous_prefix_say_so(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    assert "nowhere" in problem(host_daemon.http.get("/v1/runs/nowhere"), 404, "run_not_found")
    seen: dict[str, int] = {}
    while not any(count > 1 for count in seen.values()):
        run_id = host_daemon.submit(script("pass"))["id"]
        seen[run_id[0]] = seen.get(run_id[0], 0) + 1
    prefix = next(first for first, count in seen.items() if count > 1)
    problem(host_daemon.http.get(f"/v1/runs/{prefix}"), 409, "run_ambiguous")


def test_unknown_route_is_a_problem_too(http: httpx2.Client) -> None:
    problem(http.get("/v2/runs"), 404, "not_found")
