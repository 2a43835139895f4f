"""What people type, as values: durations, KEY=VALUE pairs, artifacts. Pure; raises `ValueError`."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.client import models

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `35m`, `1h30m` or a bare number."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration; give it as 90s, 35m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def parse_env(pairs: Iterable[str]) -> dict[str, str]:
    """`K=V` pairs; the value may be empty and may hold more equal signs."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ValueError(f"--env {pair}: give it as NAME=VALUE")
        found[name] = value
    return found


def parse_artifact(text: str) -> "models.Artifact":
    """`path` or `path:like`, where `like` is a sample of the same header and number of rows."""
    path, _, like = text.partition(":")
    if not path:
        raise ValueError(f"--artifact {text}: give it as PATH or PATH:SAMPLE")
    return {"path": path, "like": like} if like else {"path": path}
