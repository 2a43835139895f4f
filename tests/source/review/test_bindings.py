"""What a name may be bound to is followed as far as the text tells, and no further."""

import pytest

from tests.source.review.scripts import LOADER, judged, rules

LINE = LOADER.format("num_workers={}, prefetch_factor=4, persistent_workers=True, pin_memory=True")


def found_few(before: str, value: str, args: tuple[str, ...] = ()) -> bool:
    return "loader-workers-few" in rules(judged(before + LINE.format(value), args=args))


@pytest.mark.parametrize(
    ("before", "value", "few"),
    [
        ("N = M = 2\n", "N", True),
        ("N, M = 2, 8\n", "N", True),
        ("M, N = 2, 8\n", "N", False),
        ("N, M = pair\n", "N", False),
        ("N, *M = 2, 8\n", "N", False),
        ("N: int = 2\n", "N", True),
        ("N: int\n", "N", False),
        ("N = 2\nN += 6\n", "N", False),
        ("N = 2\nif big:\n    N = 8\n", "N", False),
        ("N = 2\nif False:\n    N = 8\n", "N", True),
        ("N = 2\ndef grow():\n    global N\n    N = 8\n", "N", False),
        ("N = 2\ndef other():\n    N = 8\n", "N", True),
        ("from settings import N\n", "N", False),
        ("for N in (2, 4):\n    pass\n", "N", False),
        ("with open(p) as N:\n    pass\n", "N", False),
        ("if (N := 2):\n    pass\n", "N", False),
        ("def N(): ...\n", "N", False),
        ("class C:\n    n = 2\nc = C()\n", "c.n", True),
        ("class C:\n    def __init__(self):\n        self.n = 2\n", "c.n", True),
        ("class C:\n    def __init__(self, n=2):\n        self.n = n\nc = C()\n", "c.n", True),
        ("class C:\n    def __init__(self, n=2):\n        self.n = n\nc = C(8)\n", "c.n", False),
        ("@dataclass\nclass C:\n    n: int = 2\nc = C()\n", "c.n", True),
        ("@dataclass\nclass C:\n    n: int = 2\nc = C(n=8)\n", "c.n", False),
        ("@dataclass\nclass C:\n    n: int = 2\nc = C(8)\n", "c.n", False),
        ("@dataclass\nclass C:\n    n: int = 2\nc = C(**o)\n", "c.n", False),
        ("class C:\n    n = 2\nc = C()\nc.n = 8\n", "c.n", False),
        ("c = dict(n=2)\n", "c['n']", True),
        ("c = {'n': 2}\nc['n'] = 8\n", "c['n']", False),
        ("c = {'n': 2}\n", "c.get('n')", True),
        ("c = Namespace(n=2)\n", "c.n", True),
        ("c = yaml.safe_load(f)\n", "c['n']", False),
        ("c = {}\n", "c[n]", False),
        ("p.add_argument('-n', '--loader-jobs', default=2)\n", "args.loader_jobs", True),
        ("p.add_argument('--jobs', dest='n', default=2)\n", "args.n", True),
        ("p.add_argument('--jobs', type=int)\n", "args.jobs", False),
        ("p.set_defaults(n=2)\n", "args.n", True),
    ],
)
def test_a_value_is_known_where_every_binding_is(before: str, value: str, *, few: bool) -> None:
    assert found_few(before, value) is few


@pytest.mark.parametrize(
    ("head", "calls", "few"),
    [
        ("def make(data, n=2):", "make(a)", True),
        ("def make(data, n=2):", "make(a, 8)", False),
        ("def make(data, *, n=2):", "make(a)", True),
        ("def make(data, *, n=2):", "make(a, n=8)", False),
        ("def make(data, n=2):", "make(*a)", False),
        ("def make(data, n=2):", "make(a, **o)", False),
        ("def make(data, *n):", "make(a, 2)", False),
        ("def make(data, **n):", "make(a, n=2)", False),
        ("def make(data, n):", "pass", False),
        ("def make(data, n):", "make(a, 2); make(b, n=4)", True),
        ("@click.command()\ndef make(data, n=2):", "make()", False),
    ],
)
def test_a_parameter_is_what_the_calls_pass(head: str, calls: str, *, few: bool) -> None:
    body = "    return " + LINE.format("n").splitlines()[2].partition("= ")[2]
    assert ("loader-workers-few" in rules(judged(f"import torch\n{head}\n{body}\n{calls}\n"))) is few


def test_a_name_of_a_lambda_and_a_name_of_a_class_are_their_own() -> None:
    line = LINE.format("N").splitlines()[2].partition("= ")[2]
    assert "loader-workers-few" not in rules(judged(f"import torch\nmake = lambda N: {line}\n"))
    source = f"import torch\nN = 2\nclass C:\n    N = 8\n    def make(self):\n        return {line}\n"
    assert "loader-workers-few" in rules(judged(source))
    assert "loader-workers-few" not in rules(
        judged(f"import torch\nN = 2\nclass C:\n    N = 8\n    x = {line}\n")
    )


def test_an_option_that_the_command_line_gives_is_not_its_default() -> None:
    before = "p.add_argument('--jobs', default=2)\n"
    assert found_few(before, "args.jobs")
    assert found_few(before, "args.jobs", ("--epochs", "3"))
    assert not found_few(before, "args.jobs", ("--jobs", "8"))
    assert not found_few(before, "args.jobs", ("--jobs=8",))


@pytest.mark.parametrize(
    ("line", "judged_lines"),
    [
        ("train, val = DataLoader(a), DataLoader(b)", 1),
        ("loaders = {'train': DataLoader(a), 'val': DataLoader(b)}", 1),
        ("loaders = dict(train=DataLoader(a), valid=DataLoader(b))", 1),
        ("def val_dataloader(self):\n    return DataLoader(a)", 0),
        ("def train_dataloader(self):\n    return DataLoader(a)", 1),
        ("class TestSet:\n    def loader(self):\n        return DataLoader(a)", 0),
        ("def evaluate(model):\n    train_loader = DataLoader(a)", 1),
        ("for batch in DataLoader(test_set):\n    pass", 0),
        ("loader = DataLoader(a)", 1),
    ],
)
def test_a_loader_is_for_what_the_nearest_name_says(line: str, judged_lines: int) -> None:
    found = rules(judged(f"import torch\n{line}\n"))
    assert found.count("loader-workers-few") == judged_lines
