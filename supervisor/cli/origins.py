"""Which of flag, environment, file and default gave each setting. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PREFIX = "TRAIND_"
_BETWEEN = "__"
_MASK = "***"
_FROM_SYSTEMD: dict[tuple[str, ...], str] = {
    ("state_dir",): "STATE_DIRECTORY",
    ("token",): "CREDENTIALS_DIRECTORY",
}
_SECRET_WORDS = ("token", "secret", "password", "credential")


@dataclass(frozen=True, slots=True)
class Explained:
    """A setting by its dotted name, its value (a secret masked) and where that comes from."""

    name: str
    value: Any
    origin: str

    @property
    def shown(self) -> str:
        """The value for a person."""
        if self.value is None:
            return "-"
        return self.value if isinstance(self.value, str) else json.dumps(self.value)


def explain(
    values: Mapping[str, Any],
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    from_file: Mapping[str, Any],
    file: str,
) -> list[Explained]:
    """Every setting of `values`, those inside others by dotted names, each with its origin."""
    upper = {name.upper(): name for name in environ}  # names of variables count in any letter case
    found = []
    for path, value in _leaves(values, ()):
        masked = _MASK if value is not None and _is_secret(path) else value
        origin = _origin(path, flags, upper, from_file, file)
        if origin == "default" and value is not None:
            variable = _FROM_SYSTEMD.get(path, "")
            origin = variable if environ.get(variable) else origin
        found.append(Explained(".".join(path), masked, origin))
    return found


def _leaves(values: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _origin(
    path: tuple[str, ...],
    flags: Mapping[str, Any],
    variables: Mapping[str, str],
    from_file: Mapping[str, Any],
    file: str,
) -> str:
    if path[0] in flags:
        return f"--{path[0].replace('_', '-')}"
    for length in range(len(path), 0, -1):  # TRAIND_CHECKPOINT__AFTER_S before TRAIND_CHECKPOINT
        name = (_PREFIX + _BETWEEN.join(path[:length])).upper()
        if name in variables:
            return variables[name]
    return file if _holds(from_file, path) else "default"


def _holds(tree: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(tree, Mapping) or name not in tree:
            return False
        tree = tree[name]
    return True


def _is_secret(path: tuple[str, ...]) -> bool:
    return any(word in path[-1].lower() for word in _SECRET_WORDS)
