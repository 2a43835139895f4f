"""A run's log through the API: its parts, and following it."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.api.answers import problem, stream
from tests.daemon import Daemon

LINES = "for n in range(2000):\n    print('line', n, 'loss', n % 7)\n"


@pytest.fixture(scope="module")
def long_log(host_daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("long") / "train.py"
    path.write_text(LINES)
    run_id = str(host_daemon.submit(path)["id"])
    host_daemon.wait(run_id)
    return f"/v1/runs/{run_id}/log"


def test_without_a_word_it_is_the_last_16_kib_in_whole_lines(http: httpx2.Client, long_log: str) -> None:
    answer = http.get(long_log)
    size = int(answer.headers["traind-log-size"])
    assert size - 16 * 1024 <= int(answer.headers["traind-log-offset"]) < size - 16 * 1024 + 20
    assert answer.text.startswith("line ")
    assert answer.text.endswith("line 1999 loss 4\n")
    assert answer.headers["traind-log-next"] == str(size)
    assert answer.headers["traind-log-attempt"] == "1"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_pages_by_offset_are_the_log_byte_for_byte(http: httpx2.Client, long_log: str) -> None:
    found, offset = b"", 0
    while True:
        answer = http.get(long_log, params={"offset": offset, "limit": 777, "raw": True})
        if not answer.content:
            break
        found += answer.content
        offset = int(answer.headers["traind-log-next"])
    assert found.decode() == "".join(f"line {n} loss {n % 7}\n" for n in range(2000))


def test_tail_is_the_last_lines(http: httpx2.Client, long_log: str) -> None:
    assert http.get(long_log, params={"tail": 2}).text == "line 1998 loss 3\nline 1999 loss 4\n"
    assert len(http.get(long_log, params={"tail": 10_000}).text.splitlines()) == 2000


def test_grep_is_the_newest_lines_that_match_and_pages_from_an_offset(
    http: httpx2.Client, long_log: str
) -> None:
    newest = http.get(long_log, params={"grep": "line 199[0-9]"}).text
    assert newest == "".join(f"line {n} loss {n % 7}\n" for n in range(1990, 2000))
    assert http.get(long_log, params={"grep": "loss 3", "tail": 1}).text == "line 1998 loss 3\n"
    found, offset = "", 0
    while True:
        answer = http.get(long_log, params={"grep": "loss 3", "offset": offset, "limit": 500})
        found += answer.text
        offset = int(answer.headers["traind-log-next"])
        if offset == int(answer.headers["traind-log-size"]):
            break
    assert found == "".join(f"line {n} loss 3\n" for n in range(3, 2000, 7))


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"offset": 10**9}, 409, "offset_past_end"),
        ({"offset": 10**30}, 422, "validation_failed"),
        ({"offset": -1}, 422, "validation_failed"),
        ({"offset": "x"}, 422, "validation_failed"),
        ({"limit": 0}, 422, "validation_failed"),
        ({"limit": 2**30}, 422, "validation_failed"),
        ({"tail": 0}, 422, "validation_failed"),
        ({"attempt": 2}, 404, "attempt_not_found"),
        ({"attempt": 10**30}, 422, "validation_failed"),
        ({"stage": "cooking"}, 422, "validation_failed"),
        ({"stage": "follow_up", "attempt": 1}, 404, "attempt_not_found"),
        ({"tail": 3, "offset": 0}, 409, "contradictory"),
        ({"grep": "x", "raw": True}, 409, "contradictory"),
        ({"follow": True, "grep": "x"}, 409, "contradictory"),
        ({"follow": True, "tail": 3}, 409, "contradictory"),
        ({"follow": True, "offset": 10**9}, 409, "offset_past_end"),
        ({"grep": "("}, 422, "bad_pattern"),
        ({"grep": "x" * 2000}, 422, "validation_failed"),
    ],
)
def test_part_that_cannot_be_had_says_what_to_send(
    http: httpx2.Client, long_log: str, query: dict[str, str], status: int, code: str
) -> None:
    problem(http.get(long_log, params=query), status, code)


def test_resuming_where_nothing_is_an_id_is_refused(http: httpx2.Client, long_log: str) -> None:
    for wrong in ("x", "-1", "1" * 40):
        answer = http.get(long_log, params={"follow": True}, headers={"Last-Event-ID": wrong})
        problem(answer, 422, "validation_failed")


def test_follower_that_is_cut_off_again_and_again_gets_every_byte_once(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        "import time\nfor n in range(300):\n    print('zeile', n, 'ü€', flush=True)\n    time.sleep(0.003)\n"
    )
    run_id = host_daemon.submit(path)["id"]
    url, found, last, cuts = f"/v1/runs/{run_id}/log?follow=true&offset=0", "", "0", 0
    ended = False
    while not ended:
        with host_daemon.http.stream("GET", url, headers={"Last-Event-ID": last}) as answer:
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                if fields.get("event") == "log":
                    found += json.loads(fields["data"])
                    last = fields["id"]
                ended = fields.get("event") == "end"
                fields = {}
                if cuts < 20 and found:
                    cuts += 1
                    break
    assert found == "".join(f"zeile {n} ü€\n" for n in range(300))
    assert cuts > 5


def test_stream_that_is_older_than_its_log_gets_the_first_line_when_it_is_printed(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(
        """
        import pathlib, time
        print("first", flush=True)
        deadline = time.monotonic() + 60
        while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        """
    )
    run_id = host_daemon.submit(path)["id"]
    with host_daemon.http.stream("GET", f"/v1/runs/{run_id}/log?follow=true") as answer:
        lines = answer.iter_lines()
        text = ""  # an unbuffered print writes a line and its end apart
        while not text.endswith("\n"):
            text += json.loads(next(line for line in lines if line.startswith("data: "))[6:])
        assert text == "first\n"
        assert host_daemon.get(run_id)["state"] == "running"
        (path.parent / "finish").touch()


def test_last_event_tells_how_the_attempt_ended(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    run_id = host_daemon.submit(script("print('x')\nexit(3)"))["id"]
    events = stream(host_daemon.http, f"/v1/runs/{run_id}/log?follow=true&offset=0")
    kind, offset, last = events[-1]
    assert (kind, offset) == ("end", "2")
    assert last.pop("state") in {"running", "failed"}  # the attempt has ended, and the run is about to
    assert last == {
        "reason": "ended",
        "stage": "training",
        "attempt": 1,
        "outcome": "failed",
        "exit_code": 3,
        "next": 2,
    }


def test_reader_that_does_not_read_holds_up_neither_the_run_nor_another_reader(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script("import os\nfor n in range(400):\n    os.write(1, b'x' * 99_999 + b'\\n')\n")
    run_id = host_daemon.submit(path)["id"]
    url = f"/v1/runs/{run_id}/log?follow=true&offset=0"
    with host_daemon.http.stream("GET", url) as slow:
        lines = slow.iter_lines()
        next(lines)
        run = host_daemon.wait(run_id)
        assert run["state"] == "succeeded"
        read = sum(len(data) for kind, _, data in stream(host_daemon.http, url) if kind == "log")
        assert read == 40_000_000
