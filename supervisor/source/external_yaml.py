"""A whole number in a YAML text, by the nodes of its document; nothing is constructed, so tags mean nothing.

A node that an alias or a merge key leads to as well is refused: to change it there is to change it elsewhere.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from supervisor.source.external_text import LARGEST, NotThereError, Number, dotted

_DIGITS = re.compile(r"[1-9][0-9]{0,8}")
_MERGE = "<<"
_DEFAULTS, _SELF = "defaults", "_self_"


def yaml_number(text: str, keys: Sequence[str]) -> Number:
    """The number under the keys; `start` and `end` count characters. Raises `NotThereError`."""
    return _number(text, _composed(text), keys)


def yaml_changed(text: str, keys: Sequence[str], new: int) -> str:
    """The text with `new` under the keys; raises `NotThereError` where more than that would change."""
    root = _composed(text)
    found = _number(text, root, keys)
    changed = f"{text[: found.start]}{new}{text[found.end :]}"
    if not _differs_in(_path(root, keys)[-1], str(new), root, _composed(changed)):
        raise NotThereError(f"the edit would change more than {dotted(keys)}; edit the file by hand")
    return changed


def _number(text: str, root: Any, keys: Sequence[str]) -> Number:
    path = _path(root, keys)
    counts = _references(root)
    if any(counts[id(node)] > 1 for node in path):
        why = "is used in several places by an alias; write it as a number of its own"
        raise NotThereError(f"{dotted(keys)} {why}")
    if _composed_over(root):
        why = "other files that its defaults name are put over it"
        raise NotThereError(f"{dotted(keys)} may be overwritten: {why}; change it where it is set last")
    node = path[-1]
    start, end = node.start_mark.index, node.end_mark.index
    if getattr(node, "style", None) in {"'", '"'}:
        start, end = start + 1, end - 1
    if not _DIGITS.fullmatch(text[start:end]) or node.value != text[start:end]:
        shown = _shown(text[start:end])
        raise NotThereError(f"{dotted(keys)} is {shown}, which is not a plain whole number up to {LARGEST}")
    return Number(node.start_mark.line + 1, start, end, int(node.value))


def _differs_in(changed: Any, new: str, old: Any, now: Any) -> bool:
    """Whether the documents are equal but for the node `changed` of the first, `new` in the second."""
    work: list[tuple[Any, Any]] = [(old, now)]
    seen: set[tuple[int, int]] = set()
    while work:
        one, other = work.pop()
        if (id(one), id(other)) in seen:
            continue
        seen.add((id(one), id(other)))
        if type(one) is not type(other):
            return False
        if isinstance(one, tuple | list):
            if len(one) != len(other):
                return False
            work.extend(zip(one, other, strict=True))
            continue
        value = new if one is changed else one.value
        if (str(one.tag), one.anchor) != (str(other.tag), other.anchor):
            return False
        if isinstance(one.value, str):
            if (value, one.style) != (other.value, other.style):
                return False
        else:
            work.append((one.value, other.value))
    return True


def _composed(text: str) -> Any:
    from ruamel.yaml import YAML  # only a script that reads YAML costs its import

    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except RecursionError as error:
        raise NotThereError("it is nested too deeply") from error
    except Exception as error:
        # Whatever another's parser makes of a stranger's text.
        said = " ".join(str(error).split())
        raise NotThereError(f"it cannot be read as YAML: {said}") from error
    if root is None:
        raise NotThereError("it is empty")
    return root


def _path(root: Any, keys: Sequence[str]) -> list[Any]:
    """The nodes from the root to the one under the keys."""
    path = [root]
    for key in keys:
        path.append(_child(path[-1], key, keys))
    return path


def _child(node: Any, key: str, keys: Sequence[str]) -> Any:
    value = node.value
    if not isinstance(value, list):
        raise NotThereError(f"it has no {dotted(keys)}")
    if value and not isinstance(value[0], tuple):
        if key.isdecimal() and int(key) < len(value):
            return value[int(key)]
        raise NotThereError(f"it has no {dotted(keys)}")
    found = [item for name, item in value if name.value == key]
    if len(found) > 1:
        raise NotThereError(f"{key} stands there {len(found)} times; keep one")
    if found:
        return found[0]
    if any(name.value == _MERGE for name, _ in value):
        raise NotThereError(f"{dotted(keys)} comes in by a merge key; write it where it is used")
    raise NotThereError(f"it has no {dotted(keys)}")


def _composed_over(root: Any) -> bool:
    """Whether Hydra composes others over this document: `_self_` is in its defaults, and not the last."""
    found = [item for name, item in root.value if name.value == _DEFAULTS] if _is_mapping(root) else []
    entries = found[0].value if found and isinstance(found[0].value, list) else []
    names = [getattr(item, "value", None) for item in entries]
    return _SELF in names[:-1]


def _is_mapping(node: Any) -> bool:
    return isinstance(node.value, list) and all(isinstance(item, tuple) for item in node.value)


def _references(root: Any) -> "Counter[int]":
    """How often each node is led to."""
    counts: Counter[int] = Counter()
    work = [root]
    while work:
        node = work.pop()
        if isinstance(node, tuple | list):
            work.extend(node)
            continue
        counts[id(node)] += 1
        if counts[id(node)] == 1 and not isinstance(node.value, str):
            work.append(node.value)
    return counts


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 40 else f"{words[:40]}…")  # noqa: PLR2004 - to be read
