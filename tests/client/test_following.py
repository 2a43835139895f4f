"""Waits and streams as states: what the next call is, and what has been seen."""

import json
from typing import Any

from supervisor.client.following import (
    EventsFollowed,
    LogFollowed,
    LogPiece,
    Patience,
    Waiting,
    launched_after,
)
from supervisor.client.sse import ServerEvent


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def message(type_: str, data: Any, id_: str = "") -> ServerEvent:
    return ServerEvent(type_, json.dumps(data), id_)


def run(outcome: str) -> Any:
    return {"id": "abc", "wait": {"outcome": outcome, "next": None}}


def test_patience_waits_longer_each_time_and_ends() -> None:
    clock = Clock()
    patience = Patience(3.0, clock)
    delays = []
    while (delay := patience.failed()) is not None:
        delays.append(delay)
        clock.now += delay

    assert delays[:3] == [0.1, 0.2, 0.4]
    assert abs(sum(delays) - 3.0) < 1e-9


def test_an_answer_renews_patience() -> None:
    clock = Clock()
    patience = Patience(1.0, clock)
    patience.failed()
    clock.now += 5
    patience.reached()

    assert patience.failed() == 0.1


def test_a_long_wait_is_made_of_bounded_ones_for_the_run_that_was_first_meant() -> None:
    clock = Clock()
    waiting = Waiting("latest", "finished", 40.0, clock)
    asked = []
    for passed_s in (0, 25, 15):
        request = waiting.request()
        asked.append((request.path, request.params["timeout_s"]))
        clock.now += passed_s
        over = waiting.take(run("timeout"))

    assert asked == [("/v1/runs/latest", 0.0), ("/v1/runs/abc", 25.0), ("/v1/runs/abc", 15.0)]
    assert over


def test_a_wait_goes_on_over_a_daemon_that_stops() -> None:
    waiting = Waiting("abc", "checkpoint", None, Clock())

    assert not waiting.take(run("stopping"))
    assert waiting.take(run("reached"))
    assert waiting.take(run("ended"))


def test_events_come_once_and_the_next_stream_begins_behind_them() -> None:
    followed = EventsFollowed("abc")
    event = {"number": 3, "type": "verdict"}
    assert "Last-Event-ID" not in followed.request().headers
    assert followed.take(message("verdict", event, "3")) == event
    assert followed.take(message("verdict", event, "3")) is None
    assert followed.request().headers["Last-Event-ID"] == "3"


def test_events_end_with_the_run_and_not_with_the_daemon() -> None:
    followed = EventsFollowed("abc")
    followed.take(message("end", {"reason": "stopping"}))
    assert not followed.finished
    followed.take(message("end", {"reason": "ended"}))
    assert followed.finished


def test_a_log_is_resumed_by_its_byte_offset() -> None:
    followed = LogFollowed("abc", "training", 1, limit=10, launched=False)
    assert followed.request().params == {"follow": "true", "stage": "training", "limit": 10}
    assert followed.take(message("log", "ä\n", "3")) == LogPiece("training", 1, "ä\n", 3)

    resumed = followed.request()
    assert resumed.params == {"follow": "true", "stage": "training", "attempt": 1, "offset": 3}
    assert resumed.headers["Last-Event-ID"] == "3"
    assert followed.take(message("a later kind", {})) is None


def test_a_log_whose_head_is_gone_says_how_much_and_goes_on_behind_it() -> None:
    followed = LogFollowed("abc", "training", 1, offset=3)
    gap = message("trimmed", {"from": 3, "to": 10}, "10")
    assert followed.take(gap) == LogPiece("training", 1, "", 10, trimmed=7)
    assert followed.request().headers["Last-Event-ID"] == "10"


def test_a_log_ends_with_its_attempt_and_not_with_the_daemon() -> None:
    followed = LogFollowed("abc", "training", 2, offset=0)
    followed.take(message("end", {"reason": "stopping", "next": 9}))
    assert (followed.finished, followed.request().params["offset"]) == (False, 9)
    followed.take(message("end", {"next": 9}))
    assert followed.finished


def test_only_a_later_launch_follows_an_attempt() -> None:
    def launch(stage: str, attempt: int, type_: str = "attempt_starting") -> Any:
        return {"type": type_, "attempt": attempt, "data": {"stage": stage}}

    assert launched_after(launch("training", 2), "training", 1) == ("training", 2)
    assert launched_after(launch("follow_up", 1), "training", 3) == ("follow_up", 1)
    assert launched_after(launch("training", 1), "training", 1) is None
    assert launched_after(launch("training", 4), "follow_up", 1) is None
    assert launched_after(launch("training", 2, "verdict"), "training", 1) is None
