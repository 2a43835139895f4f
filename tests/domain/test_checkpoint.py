"""The checkpoint's verdicts, case by case and as laws that hold for any readings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.domain.checkpoint import (
    Agreement,
    CheckpointPolicy,
    Evidence,
    Source,
    Verdict,
    VerdictKind,
    agreement_of,
    judge,
    settled,
)
from supervisor.domain.progress import RunSample
from supervisor.domain.reading import Attribution, MeasuredReading, ReportedReading, UnitBasis

GB = 10**9
A10 = 24 * GB
POLICY = CheckpointPolicy()


def measured(
    gigabytes: float, total: int = A10, attribution: Attribution = Attribution.PROCESS_TREE
) -> MeasuredReading:
    return MeasuredReading(round(gigabytes * GB), total, 0, attribution)


def reported(gigabytes: float, *, contradiction: bool = False) -> ReportedReading:
    used = round(gigabytes * GB)
    return ReportedReading(used, A10, used / A10, UnitBasis.DECIMAL, contradiction)


def verdict(
    said: ReportedReading | None,
    seen: MeasuredReading | None,
    *,
    step_seen: bool = True,
    elapsed_s: float = 60.0,
) -> Verdict:
    return judge(Evidence(elapsed_s, step_seen, said, seen), POLICY, at=5.0)


@pytest.mark.parametrize(
    ("gigabytes", "kind"),
    [
        (0.1, VerdictKind.UNDERUSED),
        (11.99, VerdictKind.UNDERUSED),
        (12.0, VerdictKind.GOOD),
        (21.6, VerdictKind.GOOD),
        (21.7, VerdictKind.OVERFULL),
        (24.0, VerdictKind.OVERFULL),
    ],
)
def test_the_device_s_figure_sets_the_band(gigabytes: float, kind: VerdictKind) -> None:
    found = verdict(None, measured(gigabytes))

    assert (found.kind, found.decided_by, found.agreement) == (kind, Source.MEASURED, Agreement.ONE_SIDED)
    assert found.fraction == pytest.approx(gigabytes / 24)


def test_a_printed_figure_alone_decides_nothing_however_small() -> None:
    found = verdict(reported(0.5), None)

    assert (found.kind, found.decided_by) == (VerdictKind.UNVERIFIED, Source.REPORTED)
    assert (found.reported, found.total, found.next_batch_size) == (GB // 2, A10, None)


def test_no_reading_at_all_is_no_evidence() -> None:
    assert verdict(None, None).kind is VerdictKind.NO_EVIDENCE


@pytest.mark.parametrize(
    ("elapsed_s", "kind"),
    [(60.0, VerdictKind.DEFERRED), (299.9, VerdictKind.DEFERRED), (300.0, VerdictKind.NO_EVIDENCE)],
)
def test_before_the_first_step_it_looks_again_until_the_longest_wait(
    elapsed_s: float, kind: VerdictKind
) -> None:
    found = verdict(None, measured(1.0), step_seen=False, elapsed_s=elapsed_s)

    assert (found.kind, found.measured, found.fraction) == (kind, GB, None)


@pytest.mark.parametrize(
    ("said", "seen", "agreement"),
    [
        (8.2, 8.2, Agreement.AGREE),
        (8.2, 8.9, Agreement.AGREE),  # a CUDA context lies between
        (8.2, 10.4, Agreement.AGREE),  # cached blocks as well
        (8.2, 10.6, Agreement.DISAGREEMENT),
        (8.2, 7.9, Agreement.AGREE),  # rounding
        (8.2, 7.7, Agreement.DISAGREEMENT),  # the script cannot see more than the device
        (20.0, 3.0, Agreement.DISAGREEMENT),
    ],
)
def test_the_readings_agree_within_the_context_and_the_tolerance(
    said: float, seen: float, agreement: Agreement
) -> None:
    assert agreement_of(reported(said), measured(seen), POLICY.tolerance) is agreement


def test_host_memory_has_no_context_to_allow_for() -> None:
    seen = measured(10.0, attribution=Attribution.HOST_TREE)

    assert agreement_of(reported(8.2), seen, POLICY.tolerance) is Agreement.DISAGREEMENT
    assert agreement_of(reported(8.6), seen, POLICY.tolerance) is Agreement.AGREE


@pytest.mark.parametrize(
    ("said", "seen", "kind"), [(18.3, 5.0, VerdictKind.UNDERUSED), (5.0, 18.3, VerdictKind.GOOD)]
)
def test_where_they_disagree_the_device_decides_and_the_reason_says_so(
    said: float, seen: float, kind: VerdictKind
) -> None:
    found = verdict(reported(said), measured(seen))

    assert (found.kind, found.agreement, found.decided_by) == (kind, Agreement.DISAGREEMENT, Source.MEASURED)
    assert "disagrees, so the device's figure decides" in found.why


def test_a_contradiction_in_the_printed_line_is_kept() -> None:
    assert verdict(reported(8.2, contradiction=True), measured(8.7)).contradiction
    assert verdict(reported(8.2, contradiction=True), None).contradiction


readings = st.none() | st.builds(
    lambda used, total: MeasuredReading(min(used, total), total, 0, Attribution.PROCESS_TREE),
    st.integers(0, 2**40),
    st.integers(1, 2**40),
)
printed = st.none() | st.builds(
    lambda used: ReportedReading(used, None, None, UnitBasis.ASSUMED), st.integers(0, 2**41)
)


@given(said=printed, seen=readings, step_seen=st.booleans(), elapsed_s=st.floats(0, 1e5))
def test_only_a_device_s_own_reading_after_a_step_can_make_a_run_underused(
    said: ReportedReading | None, seen: MeasuredReading | None, step_seen: bool, elapsed_s: float
) -> None:
    found = judge(Evidence(elapsed_s, step_seen, said, seen), POLICY, at=0.0)

    if found.kind is VerdictKind.UNDERUSED:
        assert step_seen
        assert seen is not None
        assert seen.fraction < POLICY.min_fraction
    assert found.why


@given(said=printed, seen=readings)
def test_what_the_script_prints_never_changes_what_a_device_decides(
    said: ReportedReading | None, seen: MeasuredReading | None
) -> None:
    if seen is not None:
        assert verdict(said, seen).kind is verdict(None, seen).kind


def sample(at: float, gigabytes: float | None, utilization: float | None = 0.9) -> RunSample:
    return RunSample(at, None if gigabytes is None else measured(gigabytes), utilization)


STEADY = [sample(at, 8.0) for at in range(7)]


def test_memory_at_rest_while_kernels_run_has_settled() -> None:
    assert settled(STEADY, 5.0)
    assert settled([*STEADY[:-1], sample(6, 8.2)], 5.0)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        STEADY[:4],
        [*STEADY[:-1], sample(6, 8.5)],
        [*STEADY[:-1], sample(6, None)],
        [*STEADY[:3], sample(3, None), *STEADY[4:]],
        [replace(item, utilization=0.0) for item in STEADY],
        [replace(item, utilization=None) for item in STEADY],
    ],
    ids=["none", "too short", "growing", "newest missing", "one missing", "idle", "utilisation unknown"],
)
def test_anything_else_has_not(samples: list[RunSample]) -> None:
    assert not settled(samples, 5.0)
