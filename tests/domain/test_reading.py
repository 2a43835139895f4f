"""Printed figures as bytes, and a run's own share of what a device says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.domain.reading import (
    Attribution,
    DeviceSample,
    MeasuredReading,
    ProcessUse,
    Quantity,
    UnitBasis,
    attribute,
    interpret,
)

GIB = 2**30
A10 = 24_146_608_128  # what NVML gives for the card that is sold as 24 GB: 22.49 GiB
OURS, THEIRS = 100, 200


@pytest.mark.parametrize(
    ("used", "total", "percent", "device", "expected", "basis"),
    [
        # A total that is the device's own in one of the two meanings of GB decides.
        ((18.3, "GB"), (24.1, "GB"), 75.9, A10, 18_300_000_000, UnitBasis.DECIMAL),
        ((18.3, "GB"), (22.5, "GB"), 81.3, A10, round(18.3 * GIB), UnitBasis.BINARY),
        # Without a total the percent does.
        ((12.05, "GB"), None, 50.0, A10, 12_050_000_000, UnitBasis.DECIMAL),
        ((11.25, "GB"), None, 50.0, A10, round(11.25 * GIB), UnitBasis.BINARY),
        # A total that is no device of ours decides nothing, nor does none: the larger meaning.
        ((18.3, "GB"), (80.0, "GB"), None, A10, round(18.3 * GIB), UnitBasis.ASSUMED),
        ((18.3, "GB"), None, None, A10, round(18.3 * GIB), UnitBasis.ASSUMED),
        ((18.3, "GB"), (24.0, "GB"), 76.3, None, round(18.3 * GIB), UnitBasis.ASSUMED),
        # A unit that says what it is is what it says.
        ((512.0, "MIB"), None, None, A10, 512 * 2**20, UnitBasis.EXPLICIT),
        ((1024.0, "B"), None, None, None, 1024, UnitBasis.EXPLICIT),
    ],
)
def test_the_device_s_own_total_says_what_a_printed_gb_was(
    used: tuple[float, str],
    total: tuple[float, str] | None,
    percent: float | None,
    device: int | None,
    expected: int,
    basis: UnitBasis,
) -> None:
    found = interpret(Quantity(*used), Quantity(*total) if total else None, percent, device)

    assert (found.used, found.unit) == (expected, basis)


def test_a_percent_that_contradicts_its_figures_is_said_and_not_preferred() -> None:
    found = interpret(Quantity(6.0, "GB"), Quantity(24.0, "GB"), 75.0, 24 * 10**9)

    assert found.contradiction
    assert found.fraction == 0.25
    assert not interpret(Quantity(6.0, "GB"), Quantity(24.0, "GB"), 26.0, 24 * 10**9).contradiction


def test_a_total_of_nothing_gives_the_printed_percent() -> None:
    found = interpret(Quantity(6.0, "GB"), Quantity(0.0, "GB"), 25.0, None)

    assert (found.fraction, found.contradiction) == (0.25, False)


@given(
    value=st.floats(0, 1e6),
    unit=st.sampled_from(["B", "KB", "MB", "GB", "TB", "KIB", "MIB", "GIB", "TIB"]),
    device=st.none() | st.integers(0, 2**45),
    percent=st.none() | st.floats(0, 200),
)
def test_any_printed_figure_gives_bytes(
    value: float, unit: str, device: int | None, percent: float | None
) -> None:
    assert interpret(Quantity(value, unit), Quantity(value, unit), percent, device).used >= 0
    assert interpret(Quantity(value, unit), None, percent, device).used >= 0


def look(*uses: tuple[int, int | None], used: int = 10 * GIB, lists: bool = True) -> DeviceSample:
    listed = tuple(ProcessUse(pid, size) for pid, size in uses) if lists else None
    return DeviceSample("gpu", 0.0, 24 * GIB, used, 0.9, listed)


def share(sample: DeviceSample, baseline: int | None = GIB, **about: object) -> MeasuredReading | None:
    return attribute(sample, frozenset({OURS, OURS + 1}), baseline, **about)  # type: ignore[arg-type]


def test_the_tree_s_own_processes_are_summed_and_the_rest_is_others() -> None:
    found = share(look((OURS, 3 * GIB), (OURS + 1, 2 * GIB), (THEIRS, 4 * GIB)))

    assert found == MeasuredReading(5 * GIB, 24 * GIB, 5 * GIB, Attribution.PROCESS_TREE)


@pytest.mark.parametrize(
    "sample",
    [look(lists=False), look((OURS, None)), look((9999, 8 * GIB))],
    ids=["no list", "no figures in it", "pids of another namespace"],
)
def test_where_the_list_does_not_help_the_growth_since_launch_decides(sample: DeviceSample) -> None:
    found = share(sample, visible=frozenset({1, OURS}))

    assert found == MeasuredReading(9 * GIB, 24 * GIB, GIB, Attribution.DEVICE_DELTA)


def test_growth_is_not_the_run_s_where_a_neighbour_is_listed_and_the_run_is_not() -> None:
    assert share(look((THEIRS, 8 * GIB)), visible=frozenset({OURS, THEIRS})) is None


@pytest.mark.parametrize("baseline", [None, 10 * GIB, 12 * GIB])
def test_no_growth_is_no_evidence(baseline: int | None) -> None:
    assert share(look(lists=False), baseline) is None


def test_host_memory_is_the_tree_s_and_nobody_else_counts() -> None:
    found = share(look((OURS, 3 * GIB), (THEIRS, 4 * GIB)), host=True)

    assert found == MeasuredReading(3 * GIB, 24 * GIB, 0, Attribution.HOST_TREE)
    assert share(look((THEIRS, 4 * GIB)), host=True) is None


def test_a_device_of_no_size_is_empty() -> None:
    assert MeasuredReading(1, 0, 0, Attribution.PROCESS_TREE).fraction == 0.0
