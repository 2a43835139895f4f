"""A submission with an Idempotency-Key is made once, whatever becomes of the answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.answers import problem
from tests.daemon import Daemon, running_daemon


def submit(http: httpx2.Client, key: str, **body: Any) -> httpx2.Response:
    return http.post("/v1/runs", json=body, headers={"Idempotency-Key": key})


def test_same_key_and_body_get_the_first_answer_again(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = str(script("pass"))
    first = submit(host_daemon.http, "once", script=path, args=["--lr", "3"])
    host_daemon.wait(first.json()["id"])
    again = submit(host_daemon.http, "once", args=["--lr", "3"], script=path)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]


def test_same_key_with_another_body_is_refused(http: httpx2.Client, script: Callable[..., Path]) -> None:
    path = str(script("pass"))
    made = submit(http, "two-bodies", script=path)
    problem(submit(http, "two-bodies", script=path, name="other"), 422, "idempotency_key_reused")
    assert http.get("/v1/runs", params={"limit": 1}).json()["items"][0]["id"] == made.json()["id"]


def test_many_at_once_with_one_key_make_one_run(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = str(script("pass"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: submit(host_daemon.http, "at-once", script=path), range(16)))
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "submission_under_way")
            assert answer.json()["retryable"]
            assert answer.headers["retry-after"] == "1"


def test_refused_submission_does_not_use_its_key_up(http: httpx2.Client, script: Callable[..., Path]) -> None:
    problem(submit(http, "mended", script="/no/such.py"), 404, "script_not_readable")
    assert submit(http, "mended", script=str(script("pass"))).status_code == 201


def test_key_is_known_to_the_next_daemon(tmp_path: Path, script: Callable[..., Path]) -> None:
    path = str(script("pass"))
    with running_daemon(tmp_path / "state", "--device", "host") as daemon:
        first = submit(daemon.http, "restarted", script=path).json()
        daemon.kill()
        daemon.start()
        again = submit(daemon.http, "restarted", script=path)
        assert again.json()["id"] == first["id"]
        assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ümlaut"])
def test_key_that_is_none_is_refused(http: httpx2.Client, script: Callable[..., Path], key: str) -> None:
    headers = {"Idempotency-Key": key.encode()}
    answer = http.post("/v1/runs", json={"script": str(script("pass"))}, headers=headers)
    problem(answer, 422, "validation_failed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"checkpoint": {"min_fraction": 0.9, "max_fraction": 0.5}}, "contradictory"),
        ({"sizing": {"target_fraction": 0.95}}, "contradictory"),
        ({"budget_s": 10, "reserve_s": 20}, "budget_too_short"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    http: httpx2.Client, script: Callable[..., Path], body: dict[str, Any], code: str
) -> None:
    problem(http.post("/v1/runs", json={"script": str(script("pass")), **body}), 409, code)


@pytest.mark.parametrize(
    "body",
    [
        {"grace_s": "5"},
        {"grace_s": True},
        {"budget_s": -1},
        {"devices": ["a", "b"]},
        {"args": "--lr 3"},
        {"name": "../x"},
        {"env": {"A": 1}},
        {"sizing": {"max_batch_size": 2**40}},
        {"follow_up": {"args": []}},
        {"artifacts": [{"like": "x"}]},
        {"cwd": "a\0b"},
    ],
)
def test_field_out_of_its_range_is_named(
    http: httpx2.Client, script: Callable[..., Path], body: dict[str, Any]
) -> None:
    detail = problem(
        http.post("/v1/runs", json={"script": str(script("pass")), **body}), 422, "validation_failed"
    )
    assert next(iter(body)) in detail


@pytest.mark.parametrize("cwd", ["relative", "/" + "x" * 300, "/nowhere"])
def test_directory_that_cannot_be_is_refused(
    http: httpx2.Client, script: Callable[..., Path], cwd: str
) -> None:
    problem(http.post("/v1/runs", json={"script": str(script("pass")), "cwd": cwd}), 404, "cwd_not_found")


def test_script_with_a_name_too_long_is_not_found(http: httpx2.Client) -> None:
    problem(http.post("/v1/runs", json={"script": "/" + "x" * 300}), 404, "script_not_readable")
