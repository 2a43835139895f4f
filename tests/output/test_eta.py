"""Time left, from the pace of the epochs so far."""

import pytest

from supervisor.output.eta import Pace
from supervisor.output.records import Progress


def paced(*marks: tuple[float, int, int], folds: int = 2, epochs: int = 4) -> Pace:
    pace = Pace()
    for at, fold, epoch in marks:
        pace.add(Progress(fold=fold, folds=folds, epoch=epoch, epochs=epochs), at)
    return pace


def test_nothing_is_known_before_two_epochs() -> None:
    assert Pace().estimate(0) is None
    assert paced((10, 1, 1)).estimate(11) is None


def test_first_epoch_does_not_count_and_all_folds_do() -> None:
    eta = paced((100, 1, 1), (110, 1, 2), (120, 1, 3)).estimate(120)
    assert eta is not None
    assert (eta.seconds, eta.low, eta.high) == (50, 50, 50)


def test_time_since_the_last_mark_is_taken_off_and_never_below_zero() -> None:
    pace = paced((0, 2, 2), (10, 2, 3))
    assert pace.estimate(14).seconds == pytest.approx(6)  # type: ignore[union-attr] # known by now
    assert pace.estimate(99).seconds == 0  # type: ignore[union-attr] # likewise


def test_band_spans_the_slowest_and_the_fastest() -> None:
    eta = paced((0, 1, 1), (10, 1, 2), (40, 1, 3), (60, 1, 4)).estimate(60)
    assert eta is not None
    assert (eta.seconds, eta.low, eta.high) == (80, 40, 120)


def test_epochs_that_were_not_printed_are_shared_out() -> None:
    eta = paced((0, 1, 1), (30, 1, 4)).estimate(30)
    assert eta is not None
    assert eta.seconds == 40


def test_repeated_and_epochless_lines_change_nothing() -> None:
    pace = paced((0, 1, 1), (10, 1, 2), (12, 1, 2))
    pace.add(Progress(step=3, steps=4), 13)
    eta = pace.estimate(12)
    assert eta is not None
    assert eta.seconds == 58


def test_epochs_that_are_read_together_are_timed_together() -> None:
    caught_up = paced((50, 1, 1), (50, 1, 2), (50, 1, 3))
    assert caught_up.estimate(50) is None
    caught_up.add(Progress(fold=1, epoch=4), 60)
    assert caught_up.estimate(60).seconds == 40  # type: ignore[union-attr] # known by now
    fast = paced((0, 1, 1), (10, 1, 2), (10, 1, 3))
    assert fast.estimate(10).seconds == 25  # type: ignore[union-attr] # likewise
