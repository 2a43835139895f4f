"""The batch size is judged by the kind's range, and only where both are certain."""

import pytest

from supervisor.source.review import Kind, Severity
from tests.source.review.scripts import judged, only, rules


def sized(size: int | str, more: str = "") -> str:
    loader = "x = torch.utils.data.DataLoader(ds, batch_size=BATCH_SIZE)"
    return f"import torch\nBATCH_SIZE = {size}\n{loader}\n{more}"


@pytest.mark.parametrize(
    ("kind", "least"), [(Kind.IMAGE, 128), (Kind.TABULAR, 4096), (Kind.TEXT, 64)], ids=str
)
def test_a_size_under_the_kinds_least_fails_and_the_least_passes(kind: Kind, least: int) -> None:
    small, enough = judged(sized(least - 1), kind), judged(sized(least), kind)
    assert not small.passed
    assert "batch-size-small" not in rules(enough)
    assert enough.passed
    finding = only(small, "batch-size-small")
    assert (finding.severity, finding.line) == (Severity.ERROR, 2)
    assert finding.found == f"batch size {least - 1}"
    assert finding.fix.startswith(f"set BATCH_SIZE to {least};")


def test_the_size_is_told() -> None:
    assert judged(sized(96)).batch_size == 96
    assert judged("import torch").batch_size is None


def test_text_over_its_range_is_warned_of() -> None:
    found = judged(sized(129), Kind.TEXT)
    assert found.passed
    assert only(found, "batch-size-large").severity is Severity.WARNING
    assert "batch-size-large" not in rules(judged(sized(128), Kind.TEXT))
    assert "batch-size-large" not in rules(judged(sized(1_000_000), Kind.TABULAR))


@pytest.mark.parametrize("more", ["gradient_accumulation_steps = 4", "Trainer(accumulate_grad_batches=n)"])
def test_small_steps_of_text_that_are_gathered_are_only_warned_of(more: str) -> None:
    found = judged(sized(8, more), Kind.TEXT)
    assert only(found, "batch-size-small").severity is Severity.WARNING
    assert found.passed
    assert not judged(sized(8, more), Kind.IMAGE).passed


def test_one_step_of_gathering_is_none() -> None:
    assert not judged(sized(8, "accum_steps = 1"), Kind.TEXT).passed


def test_a_script_of_no_clear_kind_is_not_judged_by_its_size() -> None:
    found = judged(sized(1))
    assert found.passed
    assert only(found, "kind-unknown").severity is Severity.INFO


def test_a_size_that_is_not_certain_is_never_an_error() -> None:
    found = judged(sized("pick()"), Kind.IMAGE)
    assert found.passed
    assert only(found, "batch-size-unclear").severity is Severity.INFO


def test_the_argument_on_the_command_line_wins() -> None:
    source = 'import torch\np.add_argument("--batch-size", default=8)\n'
    assert judged(source, Kind.IMAGE, args=("--batch-size", "256")).passed
    small = judged(source, Kind.IMAGE, args=("--batch-size=16",))
    assert only(small, "batch-size-small").line is None
    assert only(small, "batch-size-small").fix.startswith("pass --batch-size 128;")


def test_without_a_library_that_trains_nothing_is_said_of_the_kind() -> None:
    assert not {"kind-unknown", "batch-size-unclear"} & set(rules(judged("BATCH_SIZE = 8\n")))
    assert "batch-size-unclear" not in rules(judged("x = 1\n"))
