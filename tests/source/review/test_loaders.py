"""Training DataLoaders: each option is judged where the script tells its value, and nowhere else."""

import pytest

from supervisor.source.review import Machine, Severity
from tests.source.review.scripts import GOOD, LOADER, judged, only, rules, without

GOOD_OPTIONS = {
    "num_workers": "8",
    "prefetch_factor": "3",
    "persistent_workers": "True",
    "pin_memory": "True",
}


def loader_rules(source: str, cores: int = 16, shm_bytes: int | None = None) -> set[str]:
    found = judged(source, machine=Machine(cores, shm_bytes))
    return {rule for rule in rules(found) if rule.startswith(("loader", "shared"))}


def loader(before: str = "", **changes: str | None) -> str:
    options = {name: value for name, value in (GOOD_OPTIONS | changes).items() if value is not None}
    return before + LOADER.format(", ".join(f"{name}={value}" for name, value in options.items()))


def test_a_good_loader_has_no_findings() -> None:
    assert loader_rules(loader()) == set()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"num_workers": "2"}, "loader-workers-few"),
        ({"num_workers": None, "prefetch_factor": None, "persistent_workers": None}, "loader-workers-few"),
        ({"num_workers": "13 + 4"}, "loader-workers-many"),
        ({"prefetch_factor": "2"}, "loader-prefetch"),
        ({"prefetch_factor": "16"}, "loader-prefetch"),
        ({"prefetch_factor": None}, "loader-prefetch"),
        ({"persistent_workers": "False"}, "loader-persistent"),
        ({"persistent_workers": None}, "loader-persistent"),
        ({"pin_memory": "False"}, "loader-pin-memory"),
        ({"pin_memory": None}, "loader-pin-memory"),
    ],
)
def test_each_option_is_judged(changes: dict[str, str | None], rule: str) -> None:
    assert rule in loader_rules(loader(**changes))


def test_findings_stand_at_the_value_and_only_warn() -> None:
    found = judged("\n" + loader(num_workers="2"))
    finding = only(found, "loader-workers-few")
    assert (finding.line, finding.severity, finding.expected) == (4, Severity.WARNING, "8 to 12")
    assert finding.found == "num_workers=2 in DataLoader on line 4"
    assert found.passed


@pytest.mark.parametrize(
    ("workers", "cores", "expected"),
    [
        ("4", 4, set()),
        ("3", 4, {"loader-workers-few"}),
        ("8", 4, {"loader-workers-many"}),
        ("12", 64, set()),
        ("13", 64, {"loader-workers-many"}),
        ("1", 1, set()),
    ],
)
def test_workers_are_judged_by_the_cores_there_are(workers: str, cores: int, expected: set[str]) -> None:
    assert loader_rules(loader(num_workers=workers), cores) == expected


@pytest.mark.parametrize(
    ("before", "value", "few"),
    [
        ("N = 2\n", "N", True),
        ("N = 8\n", "N", False),
        ("import os\n", "os.cpu_count()", False),
        ("import os\n", "min(2, os.cpu_count() or 1)", True),
        ("import os\n", "max(2, len(os.sched_getaffinity(0)) - 8)", False),
        ("import os\n", "os.cpu_count() // 8", True),
        ("import os\n", "int(os.environ.get('WORKERS', '2'))", False),
        ("import os\n", "int(os.environ.get('WORKERS', 2))", True),
        ("", "2 if small else 8", False),
        ("", "2 if small else 3", True),
        ("class C:\n    n = 2\n", "C.n", True),
        ("cfg = {'n': 2}\n", "cfg['n']", True),
        ("p.add_argument('--workers', default=2)\nargs = p.parse_args()\n", "args.workers", True),
        ("", "pick()", False),
        ("", "unbound", False),
        ("", "2 // 0", False),
        ("N = N\n", "N", False),
        ("", "a or b", False),
        ("", "a and 2", False),
        ("", "'two'", False),
        ("", "-n", False),
        ("", "2 / 1", False),
    ],
)
def test_values_are_followed_and_what_is_not_known_is_not_judged(before: str, value: str, few: bool) -> None:
    assert ("loader-workers-few" in loader_rules(loader(before, num_workers=value))) is few


def test_parameters_are_followed_to_every_call() -> None:
    source = """\
import torch
def make(data, workers=2):
    return DataLoader(data, batch_size=8, num_workers=workers, prefetch_factor=4, pin_memory=True,
                      persistent_workers=True)
make(a)
"""
    assert loader_rules(source) == {"loader-workers-few"}
    assert loader_rules(source + "make(b, workers=8)\n") == set()


def test_options_by_stars_are_followed_by_their_keys() -> None:
    source = "import torch\noptions = {'num_workers': 2}\nx = DataLoader(ds, **options)\n"
    assert loader_rules(source) == {"loader-workers-few"}
    assert loader_rules("import torch\nx = DataLoader(ds, **options)\n") == set()
    assert loader_rules("import torch\nx = DataLoader(ds, **a, **b)\n") == set()
    assert loader_rules("import torch\nx = DataLoader(*parts)\n") == set()


def test_positions_count() -> None:
    source = "import torch\nDataLoader(ds, 128, True, None, None, 2, 1, False, prefetch_factor=4)\n"
    assert loader_rules(source) == {"loader-workers-few", "loader-pin-memory", "loader-persistent"}


def test_without_workers_their_options_are_part_of_the_one_fix() -> None:
    found = judged("import torch\nx = DataLoader(ds, pin_memory=True)\n")
    finding = only(found, "loader-workers-few")
    options = "num_workers=10, prefetch_factor=4 and persistent_workers=True"
    assert finding.fix == f"pass {options} to DataLoader on line 2"
    assert not {"loader-prefetch", "loader-persistent"} & set(rules(found))


def test_loaders_for_evaluation_are_not_judged() -> None:
    for line in (
        "val_loader = DataLoader(x)",
        "x = DataLoader(test_set)",
        "x = DataLoader(dataset=valid_ds)",
    ):
        assert loader_rules(f"import torch\n{line}\n") == set()


def test_a_loader_by_another_name_is_judged() -> None:
    source = "from torch.utils.data import DataLoader as DL\nx = DL(ds, num_workers=2)\n"
    assert "loader-workers-few" in loader_rules(source)


def test_without_torch_no_loader_is_judged() -> None:
    assert loader_rules("from mine import DataLoader\nx = DataLoader(ds)\n") == set()


@pytest.mark.parametrize(
    ("options", "line"), [("prefetch_factor=4", 3), ("num_workers=0, persistent_workers=True", 3)]
)
def test_options_of_workers_without_workers_are_an_error(options: str, line: int) -> None:
    found = judged(LOADER.format(options))
    finding = only(found, "loader-options-without-workers")
    assert (finding.severity, finding.line, found.passed) == (Severity.ERROR, line, False)


@pytest.mark.parametrize(
    "options", ["", "num_workers=n, prefetch_factor=4", "prefetch_factor=f() if n else None"]
)
def test_options_that_may_fit_are_no_error(options: str) -> None:
    assert judged(LOADER.format(options)).passed


def test_the_trainers_arguments_are_judged_under_their_own_names() -> None:
    source = "from transformers import TrainingArguments\nx = TrainingArguments('out', {})\n"
    assert loader_rules(source.format("")) == {"loader-workers-few"}
    some = source.format("dataloader_num_workers=2")
    assert loader_rules(some) == {"loader-workers-few", "loader-prefetch", "loader-persistent"}
    good = "dataloader_num_workers=8, dataloader_prefetch_factor=4, dataloader_persistent_workers=True"
    assert loader_rules(source.format(good)) == set()
    assert loader_rules(source.format(good + ", dataloader_pin_memory=False")) == {"loader-pin-memory"}


def test_little_shared_memory_for_workers_is_warned_of() -> None:
    assert loader_rules(loader(), shm_bytes=64 * 2**20) == {"shared-memory-small"}
    assert loader_rules(loader(num_workers="n"), shm_bytes=64 * 2**20) == set()
    assert loader_rules(loader(), shm_bytes=2**30) == set()


def test_every_training_loader_is_judged_by_itself() -> None:
    two = without("for epoch in range", put="more = DataLoader(more_set, num_workers=2)", source=GOOD)
    two = two.replace("    for images", "if 1:\n    for images")
    assert only(judged(two), "loader-workers-few").line == 27
