"""Generated scripts: what is found is what was written, the edit is those bytes, and it is undone exactly."""

import ast

from hypothesis import given
from hypothesis import strategies as st

from supervisor.source.edit import change
from supervisor.source.locate import Located, locate_batch_size, locate_learning_rate

_NAMES = st.sampled_from(["n", "BATCH_SIZE", "batch_size", "größe", "bs", "k2", "size_of_batch"])
_FILLING = st.lists(
    st.sampled_from(
        [
            "# BATCH_SIZE = 5",
            "import os",
            "VAL_BATCH_SIZE = 7",
            "text = 'DataLoader(ds, batch_size=9) é 日本'",
            "def helper(x):\n\treturn x * 2",
            "class Other:\n    '''batch_size = 3'''\n    width = 4",
            "if False:\n    batch_size = 11",
            "val_loader = DataLoader(val, batch_size=6)",
            "values = [i for i in range(3)]",
            "",
        ]
    ),
    max_size=5,
    unique=True,
)
_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig"])


@st.composite
def _trainings(draw: st.DrawFn) -> tuple[str, str, str]:
    """A script in parts: what is before the number, what is after it, and how it ends."""
    name = draw(_NAMES)
    other = draw(_NAMES.filter(lambda item: item != name))
    link = draw(
        st.sampled_from(
            [
                (f"{name} = ", f"\nloader = DataLoader(train, batch_size={name})"),
                (f"{name} = {other} = ", f"\nloader = DataLoader(train, batch_size={other})"),
                (f"{name}, {other} = ", f", 3\nloader = DataLoader(train, batch_size={name})"),
                (f"class C:\n    {name} = ", f"\nloader = DataLoader(train, batch_size=C.{name})"),
                (f"c = {{'{name}': ", f", 'x': 5}}\nloader = DataLoader(train, batch_size=c['{name}'])"),
                (f"c = dict({name}=", f")\nloader = DataLoader(train, batch_size=c['{name}'])"),
                (f"def f(d, {name}=", f"):\n    return DataLoader(d, batch_size={name})\nf(train)"),
                (f"def f(d, {name}):\n    return DataLoader(d, batch_size={name})\nf(train, ", ")"),
                (
                    f"p.add_argument('--{other}', dest='{other}', default=",
                    f")\na = p.parse_args()\nDataLoader(train, a.{other})",
                ),
                (f"@dataclass\nclass C:\n    {name}: int = ", f"\nc = C()\nDataLoader(train, c.{name})"),
                ("def f():\n    return ", "\nDataLoader(train, batch_size=f())"),
                ("DataLoader(train, batch_size=", ")"),
                ("model.fit(x, y, batch_size=", ", epochs=3)"),
                ("train = ds.batch(", ")"),
                (f"{name} = int(os.environ.get('B', '", f"'))\nDataLoader(train, {name})"),
            ]
        )
    )
    before = "".join(f"{item}\n" for item in draw(_FILLING))
    after = "".join(f"\n{item}" for item in draw(_FILLING))
    return "import os\n" + before + link[0], link[1] + after, draw(st.sampled_from(["", "\n"]))


@given(_trainings(), st.integers(1, 10**6), st.integers(1, 10**6), _ENDS, _ENCODINGS)
def test_an_edit_changes_the_literal_alone_and_is_undone_exactly(
    parts: tuple[str, str, str], old: int, new: int, end: str, encoding: str
) -> None:
    before, after, last = (part.replace("\n", end) for part in parts)
    source = f"{before}{old}{after}{last}".encode(encoding)
    located = locate_batch_size(source)

    assert isinstance(located, Located), (source, located)
    changed = change(source, located, new)

    assert changed == f"{before}{new}{after}{last}".encode(encoding)
    ast.parse(changed)
    again = locate_batch_size(changed)
    assert isinstance(again, Located)
    assert again.value == new
    assert change(changed, again, old) == source


@given(
    st.sampled_from(["Adam(model.parameters(), lr={})", "SGD(params, {})", "lr = {}\nopt = Adam(p, lr=lr)"]),
    st.floats(1e-7, 10),
    st.floats(1e-7, 10),
    st.sampled_from([".6g", ".3e", ".1e", ".4f"]),
)
def test_a_rate_of_any_writing_is_edited_and_found_again(
    script: str, old: float, new: float, kind: str
) -> None:
    written = format(old, kind)
    if not float(written) > 0:
        return
    source = script.format(written).encode()
    located = locate_learning_rate(source)

    assert isinstance(located, Located)
    assert located.value == float(written)
    changed = change(source, located, new)

    again = locate_learning_rate(changed)
    assert isinstance(again, Located)
    assert again.value == float(f"{new:.6g}")
    assert changed[: located.places[0].start] == source[: located.places[0].start]


_ARGS = st.lists(
    st.sampled_from(["--bs", "--bs=8", "-b", "-b8", "8", "x", "--", "--x", "train.bs=8", "-", "="]),
    max_size=4,
)
_STATEMENTS = [
    "a = b\nb = a",
    "c = {'bs': c}\nc.update(c)",
    "def f(bs=f()):\n    return f(bs)",
    "bs = f(bs)",
    "DataLoader(x, bs)",
    "class A(B):\n    bs = A.bs\nclass B(A):\n    def __init__(self, bs=bs):\n        self.bs = self.bs\n"
    "        super().__init__(bs)",
    "args.bs = args.bs // 2",
    "if bs:\n    bs = bs if bs else bs\nelse:\n    bs = 64",
    "args = p.parse_args()\np.add_argument('--bs', default=bs)",
    "bs, bs = bs",
    "c = dict(**c)\nDataLoader(x, **c)",
    "from x import *",
    "DataLoader(x, batch_size=args.bs)",
    "def g():\n    global bs\n    bs = c['bs']['bs']\n    return g()",
    "bs = cfg[bs]\ncfg = {bs: bs}",
    "@f(bs)\ndef main(cfg, bs):\n    return main(cfg, bs=cfg.bs)",
    "for bs in bs:\n    bs *= bs",
    "with bs as bs:\n    bs = bs['bs']",
    "setattr(args, bs, bs)\np.set_defaults(**c)",
    "x = yaml.load(x)\nbs = x['bs']",
    "bs = 64",
    "bs = lambda bs: bs(bs)",
    "bs = [bs for bs in bs][bs]",
    "self.bs = cfg.hparams.bs",
]
_LINES = st.lists(st.sampled_from(_STATEMENTS), max_size=10)


@given(_LINES, _ARGS)
def test_whatever_hangs_on_itself_is_answered(lines: list[str], args: list[str]) -> None:
    source = "\n".join(lines).encode()

    assert locate_batch_size(source, args) is not None
    assert locate_learning_rate(source.replace(b"bs", b"lr"), args) is not None
