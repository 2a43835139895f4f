"""The next batch size, from what the attempts so far have taught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.domain.sizing import SizingKind, SizingPolicy, Trial, after_out_of_memory, next_batch_size

GB = 10**9
A10 = 24 * GB


def after(
    *trials: Trial, others: int = 0, policy: SizingPolicy | None = None, total: int = A10
) -> int | None:
    return next_batch_size(trials, total=total, others=others, policy=policy or SizingPolicy()).batch_size


def test_with_one_attempt_known_the_size_doubles() -> None:
    assert after(Trial(64, 8 * GB)) == 128


def test_a_doubling_that_the_line_through_two_attempts_allows_is_made() -> None:
    # 2 GB fixed and 1/32 GB an image: 256 is predicted at 10 GB.
    assert after(Trial(64, 4 * GB), Trial(128, 6 * GB)) == 256


def test_a_doubling_predicted_too_full_is_replaced_by_the_largest_multiple_of_eight_under_the_target() -> (
    None
):
    # 0.5 GB fixed, 8.5/96 GB an image: 256 would need 23.2 GB of 24; 75% allows 197.
    found = after(Trial(32, 0.5 * GB + 32 * 8.5e9 / 96), Trial(128, 0.5 * GB + 128 * 8.5e9 / 96))

    assert found == 192


def test_a_replacement_that_is_no_larger_is_dropped() -> None:
    assert after(Trial(64, 3 * GB), Trial(128, 11 * GB), others=8 * GB) is None


def test_memory_that_does_not_grow_with_the_batch_gives_no_line() -> None:
    assert after(Trial(64, 8 * GB), Trial(128, 8 * GB)) == 256


def test_what_others_hold_leaves_no_room_for_the_worst_case() -> None:
    assert after(Trial(64, 8 * GB), others=9 * GB) is None
    assert after(Trial(64, 8 * GB), others=8 * GB) == 128


def test_relaunches_are_bounded() -> None:
    policy = SizingPolicy(max_relaunches=1)
    decision = next_batch_size([Trial(64, GB), Trial(128, 2 * GB)], total=A10, others=0, policy=policy)

    assert decision.batch_size is None
    assert decision.why == "all relaunches allowed (1) are used up; going on with 128"


@pytest.mark.parametrize(
    ("largest", "expected"), [(100, 100), (64, None), (63, None), (128, 128), (500, 128)]
)
def test_the_largest_size_allowed_is_kept_to(largest: int, expected: int | None) -> None:
    assert after(Trial(64, GB), policy=SizingPolicy(max_batch_size=largest)) == expected


def test_off_is_off() -> None:
    assert after(Trial(64, GB), policy=SizingPolicy(policy=SizingKind.OFF)) is None


def test_a_size_that_ran_out_of_memory_is_never_tried_again() -> None:
    assert after(Trial(64, 9 * GB), Trial(128, 20 * GB, out_of_memory=True), Trial(64, 9 * GB)) is None
    assert after(Trial(96, 9 * GB, out_of_memory=True), Trial(48, 5 * GB)) is None


def test_out_of_memory_goes_back_to_the_largest_size_that_ran() -> None:
    trials = [Trial(32, 2 * GB), Trial(64, 4 * GB), Trial(128, None, out_of_memory=True)]

    assert after_out_of_memory(trials).batch_size == 64


def test_out_of_memory_at_once_halves_down_to_one_and_then_gives_up() -> None:
    sizes = [6]
    trials = []
    while sizes[-1]:
        trials.append(Trial(sizes[-1], None, out_of_memory=True))
        sizes.append(after_out_of_memory(trials).batch_size or 0)

    assert sizes == [6, 3, 1, 0]
    assert after_out_of_memory(trials).why == "a batch of 1 ran out of memory"


trials_strategy = st.lists(
    st.builds(Trial, st.integers(1, 10**5), st.none() | st.integers(0, A10), st.booleans()),
    min_size=1,
    max_size=6,
)


@given(trials=trials_strategy, others=st.integers(0, A10), largest=st.none() | st.integers(1, 10**5))
def test_a_next_size_is_larger_at_most_double_allowed_and_below_all_that_failed(
    trials: list[Trial], others: int, largest: int | None
) -> None:
    found = after(*trials, others=others, policy=SizingPolicy(max_batch_size=largest))

    if found is not None:
        assert trials[-1].batch_size < found <= 2 * trials[-1].batch_size
        assert all(found < trial.batch_size for trial in trials if trial.out_of_memory)
        assert largest is None or found <= largest


@given(trials=trials_strategy)
def test_after_out_of_memory_sizes_only_fall(trials: list[Trial]) -> None:
    found = after_out_of_memory(trials).batch_size

    assert found is None or 1 <= found < trials[-1].batch_size


def test_relaunches_that_a_caller_asked_for_are_not_counted() -> None:
    one = SizingPolicy(max_relaunches=1)
    asked_for = Trial(32, 5 * GB, requested=True)

    assert after(Trial(64, 4 * GB), asked_for, policy=one) == 64
    assert after(Trial(64, 4 * GB), asked_for, Trial(64, 4 * GB), policy=one) is None
