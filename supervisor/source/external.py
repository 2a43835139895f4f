"""A whole number in a YAML, JSON, TOML or INI text: found under its keys, and changed in those digits alone.

Every change is proved before it is handed back: both texts are parsed, and they may differ in that one
value only. Comments, order and spacing stay, since no other byte is written.
"""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from supervisor.source.external_text import (
    LARGEST,
    MAX_BYTES,
    MAX_YAML_BYTES,
    NotThereError,
    Number,
    dotted,
    line_of,
)
from supervisor.source.external_yaml import yaml_changed, yaml_number

_DIGITS = re.compile(r"[1-9][0-9]{0,8}")
_MOST_PLACES = 64
_BOM = b"\xef\xbb\xbf"


def find_number(data: bytes, kind: str, keys: Sequence[str]) -> Number:
    """The number under the keys, from the outside in; raises `NotThereError` with a sentence."""
    text = _text(data, kind, keys)
    bom = len(_BOM) if data.startswith(_BOM) else 0
    if kind == "yaml":
        found = yaml_number(text, keys)
        start = bom + len(text[: found.start].encode())
        return Number(found.line, start, start + len(str(found.value)), found.value)
    return _by_proof(data, kind, keys)


def change_number(data: bytes, kind: str, keys: Sequence[str], new: int) -> bytes:
    """The text with `new` under the keys; raises `NotThereError` where more than that would change."""
    if not 1 <= new <= LARGEST:
        raise NotThereError(f"{new} is not a batch size; give a whole number from 1 to {LARGEST}")
    if kind == "yaml":
        bom = _BOM if data.startswith(_BOM) else b""
        return bom + yaml_changed(_text(data, kind, keys), keys, new).encode("utf-8")
    found = find_number(data, kind, keys)
    if found.value == new:
        return data
    changed = _spliced(data, found, new)
    if not _proved(data, changed, kind, keys, new):
        raise NotThereError(f"the edit would change more than {dotted(keys)}; edit the file by hand")
    return changed


def _text(data: bytes, kind: str, keys: Sequence[str]) -> str:
    if kind not in {"yaml", *_PARSERS}:
        raise NotThereError(f"its format is {f'{kind}, which is not edited' if kind else 'not known'}")
    if not keys:
        raise NotThereError("the key of the batch size is not known")
    most = MAX_YAML_BYTES if kind == "yaml" else MAX_BYTES
    if len(data) > most:
        raise NotThereError(f"it is {len(data)} bytes long, and more than {most} are not searched")
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotThereError(f"it is not UTF-8 ({error.reason} at byte {error.start})") from error


def _by_proof(data: bytes, kind: str, keys: Sequence[str]) -> Number:
    """Of all numbers behind the last key, the one whose change is a change of that value alone.

    These parsers tell no positions, so each place is tried. Where a key stands twice, the one that counts
    is found.
    """
    tree = _parsed(data, kind)
    value = _value(tree, keys)
    for start, end in _behind(data, keys[-1]):
        place = Number(line_of(data, start), start, end, int(data[start:end]))
        other = value - 1 or value + 1
        if place.value == value and _proved(data, _spliced(data, place, other), kind, keys, other):
            return place
    raise NotThereError(f"{dotted(keys)} is written in a way that cannot be edited; write it as {value}")


def _behind(data: bytes, key: str) -> Iterator[tuple[int, int]]:
    pattern = rf"(?<![\w-]){re.escape(key)}[\"']?\s*[:=]\s*[\"']?([1-9][0-9]{{0,8}})(?![\w.+-])"
    for match in islice(re.finditer(pattern.encode(), data, re.IGNORECASE), _MOST_PLACES):
        yield match.span(1)


def _proved(before: bytes, after: bytes, kind: str, keys: Sequence[str], new: int) -> bool:
    try:
        # As they are shown: 1, 1.0 and True are told apart there, and NaN is like itself.
        return repr(_with(_parsed(before, kind), keys, new)) == repr(_parsed(after, kind))
    except (NotThereError, RecursionError):
        return False


def _parsed(data: bytes, kind: str) -> Any:
    try:
        return _PARSERS[kind](data.removeprefix(_BOM).decode("utf-8"))
    except (ValueError, configparser.Error, RecursionError) as error:
        said = " ".join(str(error).split())
        raise NotThereError(f"it cannot be read as {kind.upper()}: {said}") from error


def _ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    found = {name: dict(section) for name, section in parser.items()}
    return {parser.default_section: dict(parser.defaults())} | found


_PARSERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads, "ini": _ini}


def _value(tree: Any, keys: Sequence[str]) -> int:
    for key in keys:
        tree = _child(tree, key, keys)
    if type(tree) is int and 1 <= tree <= LARGEST:
        return tree
    if isinstance(tree, str) and _DIGITS.fullmatch(tree):
        return int(tree)
    raise NotThereError(f"{dotted(keys)} is {_shown(tree)}, which is not a whole number from 1 to {LARGEST}")


def _child(tree: Any, key: str, keys: Sequence[str]) -> Any:
    if isinstance(tree, dict) and key in tree:
        return tree[key]
    if isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
        return tree[int(key)]
    raise NotThereError(f"it has no {dotted(keys)}")


def _with(tree: Any, keys: Sequence[str], new: int) -> Any:
    """The tree with another value under the keys, of the type that stood there."""
    if not keys:
        return str(new) if isinstance(tree, str) else new
    inner = _with(_child(tree, keys[0], keys), keys[1:], new)
    if isinstance(tree, dict):
        return {key: inner if key == keys[0] else value for key, value in tree.items()}
    return [inner if at == int(keys[0]) else value for at, value in enumerate(tree)]


def _spliced(data: bytes, at: Number, new: int) -> bytes:
    return data[: at.start] + str(new).encode() + data[at.end :]


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, dict | list) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - to be read
