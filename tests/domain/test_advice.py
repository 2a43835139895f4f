"""Advice at the bounds of the figures that it rests on."""

import pytest

from supervisor.domain.advice import Figures, advise


def codes(**figures: float) -> list[str]:
    return [advice.code for advice in advise(Figures(**figures))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.499, []),
        (0.5, ["try_larger"]),
        (0.6, ["try_larger"]),
        (0.601, []),
        (0.9, []),
        (0.901, ["keep_size"]),
    ],
)
def test_memory_gives_advice_at_its_bounds(fraction: float, expected: list[str]) -> None:
    assert codes(fraction=fraction, batch_size=64) == expected


def test_half_full_memory_advises_five_quarters_to_one_and_a_half_times_the_size() -> None:
    assert "80 to 96" in advise(Figures(fraction=0.55, batch_size=64))[0].text


@pytest.mark.parametrize(
    ("fraction", "busy", "expected"),
    [(0.7, 0.499, ["look_at_loading"]), (0.7, 0.5, []), (0.499, 0.1, [])],
)
def test_an_idle_device_at_good_memory_points_at_loading(
    fraction: float, busy: float, expected: list[str]
) -> None:
    assert codes(fraction=fraction, utilization=busy) == expected


def test_a_run_that_ended_before_its_checkpoint_is_told() -> None:
    assert codes(ended_unjudged=True, seconds=59.9) == ["ended_early"]
    assert codes(ended_unjudged=True, seconds=60.0) == []


def test_after_running_out_of_memory_nothing_larger_is_advised() -> None:
    assert codes(fraction=0.55, batch_size=64, failed_batch_size=128) == ["out_of_memory"]


def test_a_doubled_batch_takes_half_the_optimiser_steps() -> None:
    (advice,) = advise(Figures(first_batch_size=64, batch_size=128))

    assert advice.code == "fewer_steps"
    assert "50%" in advice.text


def test_missing_figures_give_no_advice() -> None:
    assert codes() == []
