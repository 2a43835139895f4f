"""The daemon's figures in Prometheus' text format. Pure: values in, text out."""

from collections.abc import Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from supervisor import __version__
from supervisor.domain.run import RunState
from supervisor.engine.inspection import DeviceState

MEDIA_TYPE = CONTENT_TYPE_LATEST


def exposition(
    counts: Mapping[RunState, int], devices: Sequence[DeviceState], *, held: int, failing: int
) -> bytes:
    """All metrics. Labels are of bounded sets: states and devices, never runs."""
    registry = CollectorRegistry()
    build = Gauge("traind_build_info", "The running version; always 1", ["version"], registry=registry)
    build.labels(__version__).set(1)
    runs = Gauge("traind_runs", "Runs on record", ["state"], registry=registry)
    for state in RunState:
        runs.labels(state.value).set(counts.get(state, 0))
    Gauge("traind_held_requests", "Waits and streams open", registry=registry).set(held)
    Gauge("traind_failing_runs", "Live runs whose supervision failed", registry=registry).set(failing)
    _add_devices(registry, devices)
    return generate_latest(registry)


def _add_devices(registry: CollectorRegistry, devices: Sequence[DeviceState]) -> None:
    total = Gauge("traind_device_memory_total_bytes", "Memory of a device", ["device"], registry=registry)
    used = Gauge("traind_device_memory_used_bytes", "Memory in use on it", ["device"], registry=registry)
    busy = Gauge("traind_device_utilization_ratio", "Share of time busy", ["device"], registry=registry)
    held = Gauge("traind_device_runs", "Live runs on a device", ["device"], registry=registry)
    for state in devices:
        total.labels(state.info.id).set(state.info.total)
        held.labels(state.info.id).set(len(state.holders))
        if state.used is not None:
            used.labels(state.info.id).set(state.used)
        if state.utilization is not None:
            busy.labels(state.info.id).set(state.utilization)
