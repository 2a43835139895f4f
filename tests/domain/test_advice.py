"""Advice at the bounds of the figures that it rests on."""

from typing import Any

import pytest

from supervisor.domain.advice import Advice, Figures, advise
from supervisor.domain.run import AttemptOutcome

OOM = AttemptOutcome.OUT_OF_MEMORY


def codes(**figures: Any) -> list[str]:
    return [advice.code for advice in advise(Figures(**figures))]


def only(**figures: Any) -> Advice:
    (advice,) = advise(Figures(**figures))
    return advice


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


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.299, []),
        (0.3, ["try_larger"]),
        (0.4, ["try_larger"]),
        (0.41, []),
        (0.6, []),
        (0.61, ["keep_size"]),
    ],
)
def test_the_bounds_are_the_run_s_own(fraction: float, expected: list[str]) -> None:
    assert codes(fraction=fraction, batch_size=64, min_fraction=0.3, max_fraction=0.6) == expected


def test_half_full_memory_advises_five_quarters_to_one_and_a_half_times_the_size() -> None:
    advice = only(fraction=0.55, batch_size=64)

    assert "try 80 to 96" in advice.text
    assert advice.figures == {"fraction": 0.55, "batch_size": 64, "low": 80, "high": 96}


@pytest.mark.parametrize(
    ("failed", "named"),
    [
        ((128,), "80 to 96"),
        ((96,), "80 to 95"),
        ((90, 128), "80 to 89"),
        ((81,), "try 80"),
        ((70,), "try 69"),
    ],
)
def test_a_size_that_ran_out_of_memory_is_never_named_nor_one_above_it(
    failed: tuple[int, ...], named: str
) -> None:
    larger = [
        advice
        for advice in advise(Figures(fraction=0.55, batch_size=64, failed_sizes=failed))
        if advice.code == "try_larger"
    ]

    assert named in larger[0].text
    assert larger[0].figures["high"] < min(failed)


@pytest.mark.parametrize("failed", [(65,), (64,), (32, 256)])
def test_no_larger_size_is_named_where_none_is_left_below_one_that_ran_out(failed: tuple[int, ...]) -> None:
    assert codes(fraction=0.55, batch_size=64, failed_sizes=failed) == ["out_of_memory"]


def test_no_size_beyond_the_run_s_own_bound_is_named() -> None:
    assert only(fraction=0.55, batch_size=64, max_batch_size=88).figures["high"] == 88
    assert codes(fraction=0.55, batch_size=64, max_batch_size=64) == []


@pytest.mark.parametrize(("fraction", "code"), [(0.55, "try_larger"), (0.95, "keep_size")])
def test_memory_of_an_attempt_that_was_never_judged_says_something_only_if_it_completed(
    fraction: float, code: str
) -> None:
    unjudged = {"fraction": fraction, "batch_size": 64, "judged": False}

    assert codes(**unjudged, outcome=AttemptOutcome.RUNNING) == []
    assert codes(**unjudged, outcome=AttemptOutcome.COMPLETED) == [code]


@pytest.mark.parametrize(
    ("fraction", "busy", "expected"),
    [(0.7, 0.499, ["look_at_loading"]), (0.7, 0.5, []), (0.499, 0.1, []), (0.5, None, []), (None, 0.1, [])],
)
def test_an_idle_device_at_good_memory_points_at_loading(
    fraction: float | None, busy: float | None, expected: list[str]
) -> None:
    assert codes(fraction=fraction, utilization=busy) == expected


def test_what_the_script_printed_of_its_workers_and_cores_is_named_where_it_did() -> None:
    bare = only(fraction=0.7, utilization=0.2)
    full = only(
        fraction=0.7,
        utilization=0.2,
        peak_utilization=0.6,
        workers=(0, 2),
        cpu_cores=8,
        cpu_s=90.0,
        seconds=60.0,
    )

    assert "printed" not in bare.text
    assert "CPU" not in bare.text
    assert "busy 20% of the time and 60% at most" in full.text
    assert "kept 1.5 CPU cores busy" in full.text
    assert "printed num_workers=0, 2 and 8 CPU cores" in full.text
    assert full.figures == {
        "fraction": 0.7,
        "utilization": 0.2,
        "peak_utilization": 0.6,
        "num_workers": 0,
        "cpu_cores": 8,
        "busy_cores": 1.5,
    }


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        (
            AttemptOutcome.COMPLETED,
            "ended_early",
            "ended by itself after 12 s, before its checkpoint at 60 s",
        ),
        (AttemptOutcome.FAILED, "failed_early", "failed with exit code 3 after 12 s"),
        (AttemptOutcome.STOPPED, "stopped_early", "was stopped after 12 s"),
    ],
)
def test_an_attempt_that_ended_before_its_checkpoint_says_how(
    outcome: AttemptOutcome, code: str, words: str
) -> None:
    advice = only(outcome=outcome, exit_code=3, judged=False, seconds=12.0)

    assert advice.code == code
    assert words in advice.text


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"seconds": 59.9}, ["ended_early"]),
        ({"seconds": 60.0}, []),
        ({"seconds": 60.0, "deferred": True}, ["ended_early"]),
        ({"seconds": 12.0, "judged": True}, []),
        ({"seconds": 12.0, "outcome": AttemptOutcome.RUNNING}, []),
        ({"seconds": 12.0, "outcome": AttemptOutcome.LOST}, []),
        ({"seconds": None}, []),
    ],
)
def test_only_an_end_before_a_verdict_is_early(figures: dict[str, Any], expected: list[str]) -> None:
    assert codes(**{"judged": False, **figures}) == expected


def test_a_run_that_went_back_to_a_smaller_size_is_told_to_stay_there() -> None:
    advice = only(batch_size=64, failed_sizes=(256, 128))

    assert advice.code == "out_of_memory"
    assert "128 ran out of memory and the run went back to 64: stay below 128" in advice.text
    assert advice.figures == {"failed_batch_size": 128, "batch_size": 64}


def test_a_size_that_ran_out_and_later_ran_is_not_said_to_have_been_left() -> None:
    assert "128 ran out of memory: stay below 128" in only(batch_size=128, failed_sizes=(128,)).text


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"batch_size": 128, "failed_sizes": (128,), "ran_sizes": (32, 64)}, "64 ran before"),
        ({"batch_size": 64, "failed_sizes": (96, 64), "ran_sizes": (80,)}, "try 32"),
        ({"batch_size": 64, "failed_sizes": (16, 64), "ran_sizes": (32,)}, "try 8"),
        ({"batch_size": 1, "failed_sizes": (1,)}, "a smaller model"),
        ({"batch_size": None}, "use a smaller batch size"),
    ],
)
def test_a_run_whose_last_attempt_ran_out_is_told_what_to_use(figures: dict[str, Any], words: str) -> None:
    advice = only(outcome=OOM, **figures)

    assert advice.code == "out_of_memory"
    assert words in advice.text


@pytest.mark.parametrize("judged", [True, False])
@pytest.mark.parametrize("fraction", [0.55, 0.97])
def test_after_running_out_neither_memory_nor_steps_nor_an_early_end_advise_otherwise(
    fraction: float, *, judged: bool
) -> None:
    found = codes(
        outcome=OOM,
        batch_size=128,
        first_batch_size=64,
        failed_sizes=(128,),
        fraction=fraction,
        utilization=0.1,
        judged=judged,
        seconds=5.0,
    )

    assert found == ["out_of_memory"]


def test_a_doubled_batch_takes_half_the_optimiser_steps() -> None:
    advice = only(first_batch_size=64, batch_size=128)

    assert advice.code == "fewer_steps"
    assert "50%" in advice.text


def test_missing_figures_give_no_advice() -> None:
    assert codes() == []
