"""A size in a file beside the script: found under its keys, changed in its digits alone, or refused."""

import json
import tomllib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from supervisor.source.external import change_number, find_number
from supervisor.source.external_text import MAX_BYTES, MAX_YAML_BYTES, NotThereError

KEYS = ("train", "batch_size")
SAME_BUT_FOR_THE_SIZE = {
    "yaml": ("yaml", "# ours\ntrain:\n    lr: 1e-3  # 64\n    batch_size:   %s   # of 24 GB\n"),
    "yaml crlf": ("yaml", "train:\r\n  batch_size: %s\r\neval:\r\n  batch_size: 64\r\n"),
    "yaml bom": ("yaml", "\ufeff# é\ntrain: {é: 1, batch_size: %s}\n"),
    "yaml flow": ("yaml", "{eval: {batch_size: 64}, 'train': {\"batch_size\": %s}}"),
    "yaml quoted": ("yaml", "train:\n  batch_size: '%s'\n"),
    "yaml tags": ("yaml", "data: !path /x\nwhere: !ENV ${X}\ntrain: !!map\n  batch_size: %s\n"),
    "yaml anchors": ("yaml", "a: &a 64\nb: *a\nc: &c {x: 1}\nd:\n  <<: *c\ntrain: {batch_size: %s}\n"),
    "yaml text": ("yaml", "note: |\n  batch_size: 64\ntrain:\n  # batch_size: 64\n  batch_size: %s"),
    "yaml with defaults": ("yaml", "defaults:\n- data: a\n- _self_\ntrain:\n  batch_size: %s\n"),
    "yaml start": ("yaml", "%%YAML 1.2\n---\ntrain:\n  batch_size: %s\n...\n"),
    "json": ("json", '{"eval": {"batch_size": 64},\n "train": {"lr": NaN, "batch_size" :\t%s}}\n'),
    "json twice": ("json", '{"train": {"batch_size": 64, "batch_size": %s}}'),
    "json bom": ("json", '\ufeff{"train": {"batch_size": %s}, "s": "\\"batch_size\\": 64"}'),
    "json quoted": ("json", '{"train": {"batch_size": "%s"}}'),
    "toml": (
        "toml",
        "[eval]\nbatch_size = 64\n[train]  # 64\nbatch_size = %s  # x\nat = 2020-01-01\n",
    ),
    "toml dotted": ("toml", "train.lr = 1\ntrain.batch_size=%s\r\n"),
    "toml inline": ("toml", 'train = { "batch_size" = %s, eval_batch_size = 64 }'),
    "toml text": ("toml", 'note = """\nbatch_size = 64\n"""\n[train]\nbatch_size = %s\n'),
    "ini": ("ini", "[eval]\nbatch_size = 64\n[train]\n; batch_size = 64\nbatch_size: %s\n"),
}


@pytest.mark.parametrize(("kind", "text"), SAME_BUT_FOR_THE_SIZE.values(), ids=SAME_BUT_FOR_THE_SIZE)
@pytest.mark.parametrize("new", [128, 7])
def test_every_other_byte_stays_and_the_way_back_is_the_same(kind: str, text: str, new: int) -> None:
    written = text.replace("%%", "%")
    before = written.replace("%s", "64").encode()

    after = change_number(before, kind, KEYS, new)

    assert after == written.replace("%s", str(new)).encode()
    assert change_number(after, kind, KEYS, 64) == before
    place = find_number(before, kind, KEYS)
    assert before[place.start : place.end] == b"64"
    assert place.line == written[: written.index("%s")].count("\n") + 1


REFUSED = {
    "no such key": ("yaml", "train: {lr: 1}", "has no train.batch_size"),
    "no mapping": ("yaml", "train: 3", "has no train.batch_size"),
    "a list": ("json", '{"train": [64]}', "has no train.batch_size"),
    "an alias": ("yaml", "b: &b 64\ntrain: {batch_size: *b}", "in several places"),
    "an anchor that others use": ("yaml", "train: {batch_size: &b 64}\nb: *b", "in several places"),
    "a mapping that others use": ("yaml", "train: &t {batch_size: 64}\neval: *t", "in several places"),
    "merged by others": ("yaml", "train: &t {batch_size: 64}\neval: {<<: *t}", "in several places"),
    "merged in": ("yaml", "a: &a {batch_size: 64}\ntrain: {<<: *a}", "by a merge key"),
    "composed over": ("yaml", "defaults: [_self_, t: a]\ntrain: {batch_size: 64}", "may be overwritten"),
    "twice": ("yaml", "train: {batch_size: 64, batch_size: 32}", "2 times"),
    "several documents": ("yaml", "train: {batch_size: 64}\n---\na: 1", "cannot be read as YAML"),
    "auto": ("yaml", "train: {batch_size: auto}", "not a plain whole number"),
    "hexadecimal": ("yaml", "train: {batch_size: 0x40}", "not a plain whole number"),
    "octal or not": ("yaml", "train: {batch_size: 064}", "not a plain whole number"),
    "a float": ("json", '{"train": {"batch_size": 64.0}}', "not a whole number"),
    "a truth": ("json", '{"train": {"batch_size": true}}', "not a whole number"),
    "interpolated": ("yaml", "train: {batch_size: '${bs}'}", "not a plain whole number"),
    "an escaped key": ("json", '{"train": {"batch\\u005fsize": 64}}', "cannot be edited"),
    "underscores": ("toml", "train.batch_size = 6_4", "cannot be edited"),
    "not YAML": ("yaml", "train: [", "cannot be read as YAML"),
    "a tab": ("yaml", "train:\n\tbatch_size: 64", "cannot be read as YAML"),
    "empty": ("yaml", "", "is empty"),
    "with comments": ("json", '{"train": {"batch_size": 64}} // x', "cannot be read as JSON"),
    "not TOML": ("toml", "train = ", "cannot be read as TOML"),
    "no section": ("ini", "batch_size = 64", "cannot be read as INI"),
    "unknown": ("", "train: {batch_size: 64}", "format is not known"),
    "another module": ("python", "train = 64", "python, which is not edited"),
    "deep": ("yaml", "[" * 3000, "too deeply"),
    "deep JSON": ("json", "[" * 200_000, "cannot be read as JSON"),
    "large": ("yaml", "#" * (MAX_YAML_BYTES + 1), "are not searched"),
    "large JSON": ("json", " " * (MAX_BYTES + 1), "are not searched"),
}


@pytest.mark.parametrize(("kind", "text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_certain_is_refused_with_the_reason(kind: str, text: str, said: str) -> None:
    with pytest.raises(NotThereError, match=said):
        change_number(text.encode(), kind, KEYS, 128)


@pytest.mark.parametrize("data", [b"\xff\xfetrain", b"train: {batch_size: 64} # \xe9", b"\x00", b"\x80"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(NotThereError):
        change_number(data, "yaml", KEYS, 128)


@pytest.mark.parametrize("new", [0, -1, 10**9 + 1])
def test_a_size_that_is_none_is_refused(new: int) -> None:
    with pytest.raises(NotThereError, match="not a batch size"):
        change_number(b"train: {batch_size: 64}", "yaml", KEYS, new)


def test_a_list_s_entry_is_named_by_its_position() -> None:
    assert change_number(b"train:\n- 64\n- 64\n", "yaml", ("train", "1"), 9) == b"train:\n- 64\n- 9\n"


NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
LEAVES = st.one_of(
    st.integers(-1000, 1000), st.booleans(), st.text("ab 64:#", max_size=8), st.sampled_from([1.5, 64.0])
)
SIZES = st.integers(1, 10**6)
TOML_LINES = ["# 64", "a = 64", '"b c" = "batch_size = 64"', "", "d = [64, 1]"]
TREES = st.dictionaries(
    NAMES,
    st.one_of(LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(NAMES, LEAVES, max_size=3)),
    max_size=5,
)


@given(
    tree=TREES, size=st.integers(1, 10**6), new=st.integers(1, 10**6), kind=st.sampled_from(["yaml", "json"])
)
def test_an_edit_changes_those_bytes_parses_and_is_undone(
    tree: dict[str, Any], size: int, new: int, kind: str
) -> None:
    before = _written(tree | {"train": {**tree, "batch_size": size}, "batch_size": 64}, kind)

    after = change_number(before, kind, KEYS, new)

    place = find_number(before, kind, KEYS)
    assert after == before[: place.start] + str(new).encode() + before[place.end :]
    wanted = tree | {"train": {**tree, "batch_size": new}, "batch_size": 64}
    assert repr(_read(after, kind)) == repr(_read(_written(wanted, kind), kind))
    assert change_number(after, kind, KEYS, size) == before


@given(
    before=st.lists(st.sampled_from(TOML_LINES), max_size=4, unique=True),
    size=SIZES,
    new=SIZES,
    end=st.sampled_from(["", "  # keep", "\r\n[eval]\r\nbatch_size = 64"]),
)
def test_an_edit_of_toml_does_the_same(before: list[str], size: int, new: int, end: str) -> None:
    text = "\n".join([*before, "[train]", f"batch_size = {size}{end}\n"])

    after = change_number(text.encode(), "toml", KEYS, new)

    assert after.decode() == text.replace(f"batch_size = {size}{end}", f"batch_size = {new}{end}")
    assert tomllib.loads(after.decode())["train"]["batch_size"] == new
    assert change_number(after, "toml", KEYS, size) == text.encode()


@given(data=st.binary(max_size=200), kind=st.sampled_from(["yaml", "json", "toml", "ini"]))
def test_any_bytes_are_edited_or_refused(data: bytes, kind: str) -> None:
    with suppress(NotThereError):
        change_number(data, kind, KEYS, 128)


def _written(tree: dict[str, Any], kind: str) -> bytes:
    if kind == "json":
        return json.dumps(tree, indent=1).encode()
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{key}:  # 64", *(f"  {name}: {json.dumps(inner)}" for name, inner in value.items())]
            lines += [] if value else ["  {}"]
        else:
            lines.append(f"{key}: {json.dumps(value)} # 64")
    return "\n".join([*lines, ""]).encode()


def _read(data: bytes, kind: str) -> Any:
    return json.loads(data) if kind == "json" else YAML(typ="safe", pure=True).load(data.decode())
