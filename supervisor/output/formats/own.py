"""traind's own lines (docs/behaviour.md), read forgivingly: any prefix, letter case and spacing.

A decimal comma is read as a point. Digits grouped by comma or space are not: "1,234" would be two
different numbers in two countries.
"""

import math
import re

from supervisor.domain.reading import Quantity
from supervisor.output.records import (
    DeviceMemory,
    LoaderSettings,
    MemoryUsed,
    Progress,
    Record,
    Resources,
    Validation,
)

NEEDLES = (b"memory", b"resources", b"dataloader", b"validation")
# These count only beside a total: "3/10" or "3 of 10".
COUNTER_NEEDLES = (b"epoch", b"fold", b"step", b"iter", b"batch")

_NUMBER = r"(\d{1,15}(?:[.,]\d{1,15})?)"
_UNIT = r"([kmgt]i?b|b(?:ytes)?)(?![a-z0-9])"
_QUANTITY = rf"{_NUMBER}\s{{0,8}}{_UNIT}"
_MEMORY_USED = re.compile(
    rf"gpu\s{{1,8}}memory\s{{1,8}}used\s{{0,8}}[:=]\s{{0,8}}{_QUANTITY}"
    rf"(?:\s{{0,8}}(?:/|of|out\s{{1,8}}of)\s{{0,8}}{_QUANTITY})?"
    rf"(?:\s{{0,8}}[(\[]?\s{{0,8}}{_NUMBER}\s{{0,8}}%)?",
    re.IGNORECASE,
)
_DEVICE_MEMORY = re.compile(
    rf"gpu\s{{1,8}}memory(?:\s{{1,8}}total)?\s{{0,8}}[:=]\s{{0,8}}{_QUANTITY}\s*$", re.IGNORECASE
)
_RESOURCES = re.compile(r"(?<![a-z])resources\s{0,8}:", re.IGNORECASE)
_CORES = re.compile(r"(\d{1,6})\s{0,8}(?:cpu\s{0,8})?cores", re.IGNORECASE)
_BATCH = re.compile(r"batch(?:[_ ]?size)?\s{0,8}[=:]\s{0,8}(\d{1,9})", re.IGNORECASE)
_DEVICE_NAME = re.compile(r"(?:gpu|device)\s{0,8}[=:]\s{0,8}([^,]{1,80})", re.IGNORECASE)
_PRECISION = re.compile(
    r"(?:mixed[ _]?precision|amp)\s{0,8}[=:]\s{0,8}(on|off|true|false|yes|no|enabled|disabled)", re.IGNORECASE
)
_LOADER = re.compile(r"dataloader\s{0,8}:", re.IGNORECASE)
_SETTING = re.compile(r"([a-z_]{3,24})\s{0,8}=\s{0,8}(\w{1,12})", re.IGNORECASE)
_VALIDATION = re.compile(r"(?<![a-z])validation\s{0,8}:\s{0,8}(?=if\b)(.{1,400})", re.IGNORECASE)
_COUNTER = re.compile(
    r"(?<![a-z_])(fold|epoch|step|iter|iteration|batch)\s{0,4}[:=#]?\s{0,4}[\[(]?\s{0,4}"
    r"(\d{1,12})\s{0,4}(?:/|of)\s{0,4}(\d{1,12})"
)
_METRIC = re.compile(
    r"(?<![a-z_])([a-z][a-z0-9_]{0,30})\s{0,4}[:=]\s{0,4}"
    r"([-+]?(?:\d{1,15}(?:\.\d{0,15})?(?:e[-+]?\d{1,4})?|nan|inf(?:inity)?))(?![\w%.])"
)
_TRUE = frozenset({"on", "true", "yes", "enabled"})
_COUNTERS = {
    "fold": "fold",
    "epoch": "epoch",
    "step": "step",
    "iter": "step",
    "iteration": "step",
    "batch": "step",
}
_LOSSES = ("loss", "train_loss", "training_loss", "avg_loss")


def parse(text: str) -> Record | None:
    """The record of one of traind's own lines, or None. Time is linear in the line."""
    low = text.lower()
    if "memory" in low and "gpu" in low:
        found = _memory(text)
        if found is not None:
            return found
    if "resources" in low and (match := _RESOURCES.search(text)):
        return _resources(text[match.end() :])
    if "dataloader" in low and (match := _LOADER.search(text)):
        return _loader(text[match.end() :])
    if "validation" in low and (match := _VALIDATION.search(text)):
        return _validation(match[1])
    return _progress(low)


def _memory(text: str) -> Record | None:
    if match := _MEMORY_USED.search(text):
        total = _quantity(match[3], match[4]) if match[3] else None
        percent = _decimal(match[5]) if match[5] else None
        return MemoryUsed(_quantity(match[1], match[2]), total, percent)
    if match := _DEVICE_MEMORY.search(text):
        return DeviceMemory(_quantity(match[1], match[2]))
    return None


def _resources(rest: str) -> Record | None:
    cores, batch = _CORES.search(rest), _BATCH.search(rest)
    device, precision = _DEVICE_NAME.search(rest), _PRECISION.search(rest)
    if not (cores or batch or device or precision):
        return None
    return Resources(
        cpu_cores=int(cores[1]) if cores else None,
        batch_size=int(batch[1]) if batch else None,
        device_name=device[1].strip() if device else None,
        mixed_precision=precision[1].lower() in _TRUE if precision else None,
    )


def _loader(rest: str) -> Record | None:
    settings = {name.lower(): value.lower() for name, value in _SETTING.findall(rest[:1000])}

    def number(name: str) -> int | None:
        value = settings.get(name, "")
        return int(value) if value.isdecimal() else None

    def truth(name: str) -> bool | None:
        return settings[name] in _TRUE if name in settings else None

    found = LoaderSettings(
        num_workers=number("num_workers"),
        prefetch_factor=number("prefetch_factor"),
        persistent_workers=truth("persistent_workers"),
        pin_memory=truth("pin_memory"),
    )
    return found if found != LoaderSettings() else None


def _validation(text: str) -> Validation:
    batch = _BATCH.search(text)
    return Validation(text.strip(), int(batch[1]) if batch else None)


def _progress(low: str) -> Progress | None:
    """Progress of a lower-case line: it needs a counter with its total; loss and metrics stand beside it."""
    counters: dict[str, int] = {}
    if "/" not in low and "of" not in low:
        return None
    for name, at, total in _COUNTER.findall(low):
        field = _COUNTERS[name]
        if field not in counters and int(at) <= int(total):
            counters[field], counters[f"{field}s"] = int(at), int(total)
    if not counters:
        return None
    metrics = {name: float(value) for name, value in _METRIC.findall(low)}
    loss = next((metrics[name] for name in _LOSSES if name in metrics), None)
    for name in (*_LOSSES, *_COUNTERS):
        metrics.pop(name, None)
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    return Progress(
        **counters, loss=loss if loss is not None and math.isfinite(loss) else None, metrics=finite
    )


def _quantity(number: str, unit: str) -> Quantity:
    upper = unit.upper()
    return Quantity(_decimal(number), "B" if upper == "BYTES" else upper)


def _decimal(number: str) -> float:
    return float(number.replace(",", "."))
