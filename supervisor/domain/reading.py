"""Memory readings: what the script printed, what the device says, and how each becomes bytes.

All sizes are bytes, all fractions run from 0 to 1. A printed figure keeps its unit until a device's
own total can say what "GB" meant: a script that divides by 2**30 and one that divides by 10**9 both
print "GB", and the two differ by 7%.
"""

from dataclasses import dataclass
from enum import StrEnum

_DECIMAL = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_EXPLICIT_BINARY = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}

# A printed percent may be rounded, and it may be of allocated rather than reserved memory.
_PERCENT_TOLERANCE = 0.02
# Totals that differ by less than this are the same total: "24.0 GB" of a device of 24.15e9 bytes.
_TOTAL_TOLERANCE = 0.035


class UnitBasis(StrEnum):
    """How a printed unit was turned into bytes."""

    EXPLICIT = "explicit"  # the unit itself says so: GiB, bytes
    DECIMAL = "decimal"  # GB = 10**9, because that agrees with the device's total
    BINARY = "binary"  # GB = 2**30, because that agrees with the device's total
    ASSUMED = "assumed"  # nothing to compare with: GB = 2**30, the larger of the two


class Attribution(StrEnum):
    """How a share of a device's memory was found to be the run's own."""

    PROCESS_TREE = "process_tree"  # the device lists processes, and some are the run's
    DEVICE_DELTA = "device_delta"  # the device's total use less what was in use before launch
    HOST_TREE = "host_tree"  # host memory of the run's process tree


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount as printed: `Quantity(18.3, "GB")`. The unit is upper case: B, KB, MIB, GB, GIB …"""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class ReportedReading:
    """What the script printed, in bytes. `contradiction` says that its percent contradicts its figures."""

    used: int
    total: int | None
    fraction: float | None
    unit: UnitBasis
    contradiction: bool = False


@dataclass(frozen=True, slots=True)
class MeasuredReading:
    """What the device said of the run's own use, in bytes.

    `others` is what everyone else holds on the same device, so that `used + others` is in use in all.
    """

    used: int
    total: int
    others: int
    attribution: Attribution

    @property
    def fraction(self) -> float:
        """The run's own share of the device, 0 to 1."""
        return self.used / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """Memory that one process holds on a device; `used` is None where the driver does not say."""

    pid: int
    used: int | None


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """One look at a device.

    `at` is in seconds of the boot-time clock. `processes` is None where the device cannot list them.
    `utilization` is the share of the last sample period in which the device was busy, 0 to 1, or None.
    """

    device_id: str
    at: float
    total: int
    used: int
    utilization: float | None
    processes: tuple[ProcessUse, ...] | None


def interpret(
    used: Quantity, total: Quantity | None, percent: float | None, device_total: int | None
) -> ReportedReading:
    """Turn a printed figure into bytes, choosing what "GB" meant by the device's own total.

    Without a device the printed percent decides nothing about the unit, so 2**30 is assumed: the
    larger reading, and so the one that can never make a run look emptier than it is.
    """
    basis = _choose_basis(used, total, percent, device_total)
    used_bytes = to_bytes(used, basis)
    total_bytes = to_bytes(total, basis) if total is not None else None
    own_fraction = used_bytes / total_bytes if total_bytes else None
    printed_fraction = percent / 100 if percent is not None else None
    contradiction = (
        own_fraction is not None
        and printed_fraction is not None
        and abs(own_fraction - printed_fraction) > _PERCENT_TOLERANCE
    )
    fraction = own_fraction if own_fraction is not None else printed_fraction
    return ReportedReading(used_bytes, total_bytes, fraction, basis, contradiction)


def to_bytes(quantity: Quantity, basis: UnitBasis) -> int:
    """Bytes of a printed amount. An explicit binary unit (GiB) is what it says under any basis."""
    explicit = _EXPLICIT_BINARY.get(quantity.unit)
    if explicit is not None:
        return round(quantity.value * explicit)
    table = _DECIMAL if basis is UnitBasis.DECIMAL else _BINARY
    return round(quantity.value * table[quantity.unit])


def _choose_basis(
    used: Quantity, total: Quantity | None, percent: float | None, device_total: int | None
) -> UnitBasis:
    if used.unit == "B" or used.unit in _EXPLICIT_BINARY:
        return UnitBasis.EXPLICIT
    if not device_total:
        return UnitBasis.ASSUMED
    if total is not None and total.unit in _DECIMAL and total.unit != "B":
        compared, expected = total, float(device_total)
    elif total is None and percent:
        compared, expected = used, device_total * percent / 100
    else:
        return UnitBasis.ASSUMED
    off = {
        basis: abs(to_bytes(compared, basis) / expected - 1) if expected else 1.0
        for basis in (UnitBasis.BINARY, UnitBasis.DECIMAL)
    }
    best = min(off, key=lambda basis: off[basis])
    return best if off[best] <= _TOTAL_TOLERANCE else UnitBasis.ASSUMED


def attribute(
    sample: DeviceSample,
    tree: frozenset[int],
    baseline: int | None,
    *,
    visible: frozenset[int] = frozenset(),
    host: bool = False,
) -> MeasuredReading | None:
    """The run's own share of a sample, or None where nothing on the device can be said to be its own.

    `tree` holds the pids of the run's process tree, `visible` those of all processes that the daemon can
    see, `baseline` the device's use before launch in bytes. A device that lists processes, none of which
    can be seen here, shows the pids of another PID namespace (a container): then the growth since launch
    decides. Where some can be seen and none is the run's, the growth is other tenants'. No growth means
    no evidence, never "the run uses nothing".
    """
    if host:
        own = _sum_known(sample.processes or (), tree)
        return MeasuredReading(own, sample.total, 0, Attribution.HOST_TREE) if own else None
    if sample.processes is not None:
        mine = [use for use in sample.processes if use.pid in tree]
        if mine and all(use.used is not None for use in mine):
            own = _sum_known(mine, tree)
            return MeasuredReading(own, sample.total, max(0, sample.used - own), Attribution.PROCESS_TREE)
        if not mine and any(use.pid in visible for use in sample.processes):
            return None
    if baseline is None:
        return None
    delta = sample.used - baseline
    if delta <= 0:
        return None
    return MeasuredReading(delta, sample.total, baseline, Attribution.DEVICE_DELTA)


def _sum_known(uses: "tuple[ProcessUse, ...] | list[ProcessUse]", tree: frozenset[int]) -> int:
    return sum(use.used or 0 for use in uses if use.pid in tree)
