"""Events and runs in words: every event that people should see has a sentence."""

import dataclasses
from typing import Any

import pytest

from supervisor.cli.summary import summarise
from supervisor.cli.words import _SENTENCES, describe, duration, percent, progress, size
from supervisor.domain import events

FOLLOW_UP = {"stage": "follow_up", "batch_size": None, "script": "/predict.py", "why": "w"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.04, "0.0s"),
        (59.94, "59.9s"),
        (60, "1m00s"),
        (185, "3m05s"),
        (3600, "1h00m"),
        (7380, "2h03m"),
    ],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_and_shares_are_short() -> None:
    assert (size(None), size(512 * 2**20), size(3 * 2**30)) == ("-", "512 MiB", "3.00 GiB")
    assert (percent(None), percent(0.763)) == ("-", "76%")


def test_progress_says_what_is_known() -> None:
    known = {"fold": 2, "folds": 5, "epoch": 1, "epochs": None, "loss": 0.41234}
    assert progress(known) == "fold 2/5, loss 0.412"
    assert progress(None) == progress({"fold": None, "folds": None, "loss": None}) == "-"


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("attempt_starting", FOLLOW_UP, "starting the follow-up /predict.py"),
        (
            "attempt_starting",
            FOLLOW_UP | {"stage": "training"},
            "attempt 2: batch size unknown (w)",
        ),
        (
            "script_reviewed",
            {"passed": False, "kind": "image", "findings": [{"rule": rule} for rule in "abacdefg"]},
            "review failed: a, b, c, d and 3 more; `traind review` says how to mend them",
        ),
        ("attempt_adopted", {"stage": "follow_up", "pid": 7}, "the follow-up: taken up as process 7"),
        (
            "memory_reported",
            {"used": 2**30, "total": None, "contradiction": True},
            "attempt 2: printed 1.00 GiB in use, which contradicts its own percent",
        ),
        (
            "attempt_ended",
            {"stage": "training", "outcome": "lost", "exit_code": None, "signal": None},
            "attempt 2: lost (how it exited is not known)",
        ),
        (
            "attempt_ended",
            {"stage": "training", "outcome": "stopped", "exit_code": None, "signal": 15},
            "attempt 2: stopped (signal 15)",
        ),
        (
            "script_edited",
            {"script": "/t.py", "line": None, "old": 64, "new": 128},
            "changed the arguments: 64 -> 128",
        ),
        ("run_ended", {"state": "failed", "reason": "exit_code", "detail": "d"}, "run failed (exit_code): d"),
        ("out_of_memory_seen", {"line": "CUDA"}, "attempt 2: out of memory: CUDA"),
        ("run_stopping", {"reason": "user_request"}, "stopping (user_request)"),
        ("warning", {"text": "mind this"}, "warning: mind this"),
        ("progress", {}, None),
        ("of a later version", {}, None),
    ],
)
def test_sentences(kind: str, data: dict[str, Any], sentence: str | None) -> None:
    assert describe(kind, data, 2) == sentence


def test_only_what_another_event_says_as_well_has_no_sentence() -> None:
    bodies = [body for body in vars(events).values() if dataclasses.is_dataclass(body)]
    kinds = {body.type for body in bodies if isinstance(getattr(body, "type", None), str)}

    assert kinds - set(_SENTENCES) == {"progress", "resources_reported", "supersede_decided"}


def attempt(number: int, **changes: Any) -> dict[str, Any]:
    made = {
        "stage": "training",
        "number": number,
        "batch_size": 64 * number,
        "peak_memory": 2**30,
        "peak_utilization": 0.9,
        "verdict": {"measured": 2**30, "fraction": 0.3 * number, "kind": "good"},
        "started_at": f"2026-01-01T00:0{number}:00Z",
        "ended_at": f"2026-01-01T00:0{number}:30Z",
        "outcome": "completed",
    }
    return made | changes


RUN = {
    "id": "abc",
    "state": "succeeded",
    "reason": "completed",
    "created_at": "2026-01-01T00:01:00Z",
    "ended_at": "2026-01-01T00:03:00Z",
}


def test_a_summary_sets_before_against_after() -> None:
    text = summarise(RUN, [attempt(1), attempt(2), attempt(1, stage="follow_up", verdict=None)])

    assert "before: batch 64 at 30%; after: batch 128 at 60%; relaunches: 1" in text
    assert "first launch to corrected run: 1m00s" in text
    assert text.endswith("run abc: succeeded (completed) after 2m00s")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_summary_of_one_attempt_compares_nothing() -> None:
    text = summarise(
        RUN | {"state": "running", "reason": None, "ended_at": None},
        [attempt(1, verdict=None, started_at=None)],
    )

    assert "before" not in text
    assert text.endswith("run abc: running")
