"""What events tell a report."""

from typing import Any

from supervisor.domain.events import Event
from supervisor.domain.progress import Progress
from supervisor.domain.telling import PrintedSettings, artifacts_of, printed_settings, progress_of_training


def told(*items: tuple[str, dict[str, Any]]) -> list[Event]:
    """Events at one time and of attempt 1, as a follow-up's are too."""
    return [Event(number, 0.0, type_, 1, data) for number, (type_, data) in enumerate(items, 1)]


def starting(stage: str) -> tuple[str, dict[str, Any]]:
    return ("attempt_starting", {"stage": stage})


def printed(**settings: object) -> tuple[str, dict[str, Any]]:
    return ("resources_reported", {"settings": settings})


def progress(fold: int) -> tuple[str, dict[str, Any]]:
    return ("progress", {"fold": fold, "folds": 5, "epoch": None, "eta_s": 3.0})


def test_settings_are_those_of_the_last_training_attempt() -> None:
    events = told(
        starting("training"),
        printed(num_workers=0, cpu_cores=4),
        starting("training"),
        printed(num_workers=8),
        printed(num_workers=2),
        printed(num_workers=8),
        printed(cpu_cores=16),
        starting("follow_up"),
        printed(num_workers=1, cpu_cores=1),
    )

    assert printed_settings(events) == PrintedSettings((2, 8), 16)


def test_a_script_that_printed_nothing_has_no_settings() -> None:
    assert printed_settings(told(starting("training"))) == PrintedSettings()


def test_progress_of_the_follow_up_is_not_that_of_training() -> None:
    newest = Progress(fold=1, folds=1)
    training = (starting("training"), progress(4), progress(5), starting("follow_up"))

    assert progress_of_training(told(*training), newest) == newest
    assert progress_of_training(told(*training, progress(1)), newest) == Progress(fold=5, folds=5)


def test_progress_before_a_relaunch_is_not_that_of_the_attempt_behind_it() -> None:
    events = told(progress(4), starting("training"), starting("follow_up"), progress(1))

    assert progress_of_training(events, Progress(fold=1)) is None


def test_artifacts_are_as_they_were_last_checked() -> None:
    bad = {"path": "/j/s.csv", "ok": False, "problem": "is empty", "size": 0, "rows": None}
    good = {"path": "/j/s.csv", "ok": True, "problem": None, "size": 9, "rows": 3}
    events = told(("artifacts_checked", {"artifacts": [bad]}), ("artifacts_checked", {"artifacts": [good]}))

    assert [(item.ok, item.size, item.rows) for item in artifacts_of(events)] == [(True, 9, 3)]
    assert [item.problem for item in artifacts_of(events[:1])] == ["is empty"]
    assert artifacts_of([]) == ()
