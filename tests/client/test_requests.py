"""Calls as values: paths, parameters, and what answers mean."""

import json

import pytest

from supervisor.client import ApiError, requests
from supervisor.client.requests import Answer


def answer(status: int, body: object) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_what_is_not_given_is_not_sent() -> None:
    assert requests.stop("r", None, None).json == {}
    assert requests.stop("r", 0.0, 2).json == {"grace_s": 0.0, "if_attempt": 2}
    assert requests.runs((), 5, None).params == {"limit": 5}
    assert requests.log("r", raw=True, tail=3).params == {"raw": "true", "tail": 3}
    assert requests.restore("r", force=True).json == {"force": True}
    assert requests.review("/t.py", None, "image").json == {"script": "/t.py", "kind": "image"}


def test_a_reference_cannot_leave_its_place_in_the_path() -> None:
    assert requests.get("../x?y#z").path == "/v1/runs/..%2Fx%3Fy%23z"


def test_only_a_guarded_relaunch_is_safe_to_repeat() -> None:
    assert not requests.relaunch("r", 64, "why", None, None).repeatable
    assert requests.relaunch("r", 64, "why", 1, None).repeatable


def test_reports_are_asked_for_by_accept() -> None:
    assert requests.report("r", "markdown").headers == {"Accept": "text/markdown"}
    assert requests.result(requests.report("r", "html"), answer(200, b"<p>")) == "<p>"
    assert requests.result(requests.report("r", "json"), answer(200, {"a": 1})) == {"a": 1}


def test_a_log_says_where_it_stands() -> None:
    headers = {
        "traind-log-offset": "5",
        "traind-log-next": "8",
        "traind-log-size": "90",
        "traind-log-trimmed": "4",
    }
    found = requests.result(requests.log("r"), Answer(200, headers, b"abc"))
    assert (found.data, found.offset, found.next, found.size, found.trimmed) == (b"abc", 5, 8, 90, 4)


def test_a_problem_is_raised_whole() -> None:
    body = {"code": "attempt_conflict", "detail": "attempt 2 is current", "retryable": True, "extra": 1}
    with pytest.raises(ApiError, match="attempt 2 is current") as raised:
        requests.result(requests.get("r"), answer(409, body))
    error = raised.value
    assert (error.status, error.code, error.retryable) == (409, "attempt_conflict", True)
    assert error.problem == body


@pytest.mark.parametrize(
    ("content", "said"), [(b"<html>", "<html>"), (b"", "the daemon answered 502"), (b"[1]", r"\[1\]")]
)
def test_a_refusal_that_is_no_problem_document_is_told_all_the_same(content: bytes, said: str) -> None:
    with pytest.raises(ApiError, match=said):
        requests.result(requests.get("r"), answer(502, content))


def test_a_daemon_that_is_not_ready_says_why() -> None:
    body = {"status": "not_ready", "live": 1, "problems": ["disk"]}
    assert requests.result(requests.ready(), answer(503, body)) == body
