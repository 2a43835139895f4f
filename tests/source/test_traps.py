"""What must not be taken for the training batch size, and what must not be decided."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.source.locate import Answer, Located, Missing, Uncertain, locate_batch_size
from supervisor.source.text import MAX_PARSED_BYTES

NEVER = {
    "comment": "# BATCH_SIZE = 64\n",
    "string": 'text = "BATCH_SIZE = 64"\n',
    "docstring": '"""BATCH_SIZE = 64"""\n',
    "if False": "if False:\n    BATCH_SIZE = 64\n",
    "if 0": "if 0:\n    BATCH_SIZE = 64\n",
    "else of if True": "if True:\n    pass\nelse:\n    BATCH_SIZE = 64\n",
    "while False": "while False:\n    BATCH_SIZE = 64\n",
    "val": "VAL_BATCH_SIZE = 64\n",
    "valid": "valid_bs = 64\n",
    "eval": "eval_batch_size = 64\n",
    "test": "TestBatchSize = 64\n",
    "predict": "predict_batch_size = 64\n",
    "infer": "BATCH_SIZE_INFERENCE = 64\n",
    "eval class": "class EvalConfig:\n    batch_size = 64\n",
    "eval dict": 'cfg = {"val": {"batch_size": 64}}\n',
    "eval dict by name": 'val_cfg = {"batch_size": 64}\n',
    "eval loader": "val_loader = DataLoader(ds, batch_size=64)\n",
    "eval loader in one word": "testloader = DataLoader(ds, batch_size=64)\n",
    "eval data": "x = DataLoader(valid_ds, batch_size=64)\n",
    "eval loader of a pair": "a, val_loader = 1, DataLoader(ds, batch_size=64)\n",
    "eval loader in a dict": 'loaders = {"val": DataLoader(ds, batch_size=64)}\n',
    "eval function": "def evaluate(model, batch_size=64):\n    return DataLoader(x, batch_size=batch_size)\n",
    "eval method": "class M:\n    def val_dataloader(self):\n        return DataLoader(x, batch_size=64)\n",
    "predict call": "model.predict(x, batch_size=64)\n",
    "encode call": "model.encode(x, batch_size=64)\n",
    "the data itself": "batch = next(it)\nbatch = batch.cuda()\nbatch = x[i : i + 8]\n",
    "rows at hand": "bs = len(xb)\n",
    "rows of a tensor": "def f(x):\n    batch_size = x.size(0)\n    bsz = x.shape[0]\n    bs, c = x.shape\n",
    "counter": "batch = 0\nbatch += 1\n",
    "other words": "num_batches = 64\nbatch_idx = 3\nbatch_first = True\nbatch_norm = 1\n",
    "bool": "batch_size = True\n",
    "negative": "batch_size = -1\n",
    "zero": "BATCH_SIZE = 0\n",
    "float": "BATCH_SIZE = 64.0\n",
    "text": 'BATCH_SIZE = "auto"\n',
    "huge power": "BATCH_SIZE = 10 ** 10 ** 10\n",
    "division by zero": "BATCH_SIZE = 64 // 0\n",
    "huge shift": "BATCH_SIZE = 1 << 10 ** 9\n",
    "true division": "BATCH_SIZE = 128 / 2\n",
}

UNDECIDED = {
    "two constants": ("BATCH_SIZE = 64\nbs = 32\n", {1, 2}),
    "two branches": ("if gpu:\n    BATCH_SIZE = 64\nelse:\n    BATCH_SIZE = 8\n", {2, 4}),
    "try": ("try:\n    BATCH_SIZE = int(argv[1])\nexcept IndexError:\n    BATCH_SIZE = 64\n", {4}),
    "read between": ("BATCH_SIZE = 32\nx = f(BATCH_SIZE)\nBATCH_SIZE = 64\n", {1, 3}),
    "augmented": ("BATCH_SIZE = 32\nBATCH_SIZE *= 2\n", {1}),
    "for": ("for batch_size in (32, 64):\n    DataLoader(ds, batch_size=batch_size)\n", set()),
    "comprehension": ("BATCH_SIZE = 64\n[DataLoader(ds, batch_size=n) for n in (1, 2)]\n", {1}),
    "lambda": ("BATCH_SIZE = 64\nf = lambda n: DataLoader(ds, batch_size=n)\n", {1}),
    "conditional value": ("BATCH_SIZE = 64 if gpu else 8\n", {1}),
    "or": ('BATCH_SIZE = environ.get("B") or 64\n', {1}),
    "computed": ("BATCH_SIZE = 64\nDataLoader(ds, batch_size=BATCH_SIZE // world)\n", {1}),
    "computed by a call": ("BATCH_SIZE = 64\nDataLoader(ds, batch_size=best(BATCH_SIZE))\n", {1}),
    "with": ("with f() as bs:\n    DataLoader(ds, batch_size=bs)\n", set()),
    "outside": ("bs = 8\nDataLoader(ds, batch_size=config.train.n)\n", {1}),
    "two loaders": ("a = DataLoader(x, batch_size=64)\nb = DataLoader(y, batch_size=32)\n", {1, 2}),
    "set on the class": (
        "class C:\n    batch_size = 64\ndef loader():\n    return DataLoader(x, batch_size=C.batch_size)\n"
        "loader()\nC.batch_size = 32\nloader()\n",
        {2, 6},
    ),
    "set_defaults": (
        'p.add_argument("--batch-size", default=64)\np.set_defaults(batch_size=32)\na = p.parse_args()\n'
        "DataLoader(x, batch_size=a.batch_size)\n",
        {1, 2},
    ),
    "called both ways": (
        "def f(ds, n=8):\n    DataLoader(ds, batch_size=n)\nf(x)\nf(x, 64)\nf(x, *more)\n",
        {1, 4},
    ),
    "called with stars": ("def f(ds, n=8):\n    DataLoader(ds, batch_size=n)\nf(x, **options)\n", set()),
    "global in a function": (
        "BATCH_SIZE = 64\ndef f():\n    global BATCH_SIZE\n    BATCH_SIZE = 32\n",
        {1, 4},
    ),
    "joined strings": ('BATCH_SIZE = int(getenv("B", "6" "4"))\n', set()),
}


@pytest.mark.parametrize("source", NEVER.values(), ids=NEVER.keys())
def test_what_is_no_training_batch_size_is_not_found(source: str) -> None:
    found = locate_batch_size(source.encode())

    assert isinstance(found, Missing)


@pytest.mark.parametrize("trap", NEVER.values(), ids=NEVER.keys())
def test_what_is_no_training_batch_size_does_not_stand_in_the_way(trap: str) -> None:
    # A second binding of the very same name is doubt of its own.
    if any(line.lstrip().startswith(("BATCH_SIZE =", "batch_size =")) for line in trap.splitlines()[:1]):
        trap = "pass\n"
    found = locate_batch_size(
        (trap + "BATCH_SIZE = 77\nx = DataLoader(train_x, batch_size=BATCH_SIZE)\n").encode()
    )

    assert isinstance(found, Located), found
    assert found.value == 77


@pytest.mark.parametrize("name", ["the data itself", "rows at hand", "rows of a tensor"])
def test_a_loop_without_a_loader_may_name_its_data_as_it_likes(name: str) -> None:
    loop = "BATCH_SIZE = 77\nfor at in range(0, n, BATCH_SIZE):\n    xb = x[at : at + BATCH_SIZE]\n"
    found = locate_batch_size((loop + NEVER[name]).encode())

    assert isinstance(found, Located), found
    assert found.places[0].line == 1


@pytest.mark.parametrize(("source", "lines"), UNDECIDED.values(), ids=UNDECIDED.keys())
def test_what_leaves_a_choice_is_not_decided(source: str, lines: set[int]) -> None:
    found = locate_batch_size(source.encode())

    assert isinstance(found, Uncertain), found
    assert {place.line for place in found.candidates} == lines
    assert all(f"on line {line}" in found.reason for line in lines)
    assert "BATCH_SIZE = 64" in found.reason or "plain number" in found.reason


def test_a_script_without_a_batch_size_says_so() -> None:
    found = locate_batch_size(b"x = 1\n")
    assert isinstance(found, Missing)
    assert "No batch size found" in found.reason


def test_python_2_is_answered_with_the_parser_s_line() -> None:
    assert "line 2" in _reason(b"BATCH_SIZE = 64\nprint 'hello'\n")


@pytest.mark.parametrize(
    "source",
    [
        b"x = '\0'",
        b"(" * 5000,
        b"x = " + b"-" * 100_000 + b"1",
        b"x = " + b"a." * 20_000 + b"a",
        b"x = " + b"1+" * 20_000 + b"1",
        b"# coding: latin-1\nx = '\xe9'\nx = (",
        b"x = '\xe9'",
        b"# coding: no-such-encoding\nx = 1",
        b"# coding: rot13\nx = 1",
        b"# coding: utf-16\nx = 1",
        b"# coding: utf-7\nx = '+AGE-'",
        b"x = " + b"9" * 10_000,
        b"\xef\xbb\xbf# coding: latin-1\nx = 1",
        b"if x:\n\ty = 1\n        z = 2\n",
        b"x = 1\n" * (MAX_PARSED_BYTES // 6 + 1),
    ],
    ids=lambda source: repr(source[:24]),
)
def test_hostile_bytes_are_answered_and_never_raised(source: bytes) -> None:
    assert isinstance(locate_batch_size(source), Uncertain)


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"\r\x0c\\\r\n")
def test_any_bytes_are_answered(source: bytes) -> None:
    assert isinstance(locate_batch_size(source), Answer)


_TOKENS = [
    "BATCH_SIZE",
    "bs",
    "64",
    "'64'",
    "cfg",
    "self",
    "int",
    ".",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    "=",
]
_WORDS = [
    "*",
    "**",
    ":=",
    "lambda",
    "DataLoader",
    "batch_size=",
    "return",
    "else",
    "async",
    "if x:",
    "class C:",
]
_HEADS = ["def f(bs=2):", "for bs in", "global bs", "with x as"]
_BLANKS = [" ", "\n", "    ", "\n    ", "\t", "\r\n", "\x0c", "é"]
_PIECES = st.lists(st.sampled_from([*_TOKENS, *_WORDS, *_HEADS, *_BLANKS]), max_size=30)


@given(_PIECES)
def test_any_pieces_of_python_are_answered(pieces: list[str]) -> None:
    assert isinstance(locate_batch_size("".join(pieces).encode()), Answer)


def test_a_long_chain_of_elif_is_searched() -> None:
    source = "BATCH_SIZE = 64\nif x == 0:\n    pass\n" + "".join(
        f"elif x == {n}:\n    pass\n" for n in range(400)
    )

    assert isinstance(locate_batch_size(source.encode()), Located)


def test_a_script_s_own_warnings_are_not_ours() -> None:
    assert isinstance(locate_batch_size(b'BATCH_SIZE = 64\nx = "\\d"\ny = 1 is 1\n'), Located)


def test_names_that_go_round_in_a_circle_are_not_followed_for_ever() -> None:
    assert isinstance(locate_batch_size(b"a = b\nb = a\nDataLoader(x, batch_size=a)\n"), Uncertain)


def _reason(source: bytes) -> str:
    found = locate_batch_size(source)
    assert isinstance(found, Uncertain)
    return found.reason


def test_options_beside_a_size_of_its_own_leave_it_certain() -> None:
    source = (
        b"BATCH_SIZE = 64\nextra = {'a': 1} if x else {}\nDataLoader(ds, batch_size=BATCH_SIZE, **extra)\n"
    )
    located = locate_batch_size(source)
    assert isinstance(located, Located)
    assert located.value == 64
