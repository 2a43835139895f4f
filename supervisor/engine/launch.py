"""What exactly is launched for an attempt: the command and its environment. Pure."""

import math
from collections.abc import Mapping

from supervisor.devices.base import DeviceInfo, DeviceKind
from supervisor.domain.run import Attempt, Run, Stage
from supervisor.process.attempt import LaunchSpec

# The daemon's own affairs, which a training script must not inherit.
_PRIVATE = frozenset(
    {
        "TRAIND_TOKEN",
        "NOTIFY_SOCKET",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "LISTEN_PID",
        "CREDENTIALS_DIRECTORY",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "MAINPID",
        "SYSTEMD_EXEC_PID",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
    }
)


def launch_spec(
    run: Run,
    attempt: Attempt,
    device: DeviceInfo,
    inherited: Mapping[str, str],
    *,
    stop_at: float | None = None,
) -> LaunchSpec:
    """The launch of this attempt on this device; `inherited` is the daemon's environment.

    `stop_at` is when the budget will stop the attempt, in Unix seconds.
    """
    spec = run.spec
    follow_up = attempt.stage is Stage.FOLLOW_UP and spec.follow_up is not None
    script = spec.follow_up.script if follow_up and spec.follow_up else spec.script
    return LaunchSpec(
        argv=(spec.python, "-u", script, *attempt.args),
        env=environment(run, attempt, device, inherited, stop_at=stop_at),
        cwd=spec.cwd,
    )


def environment(
    run: Run,
    attempt: Attempt,
    device: DeviceInfo,
    inherited: Mapping[str, str],
    *,
    stop_at: float | None = None,
) -> dict[str, str]:
    """The daemon's environment less its own affairs, then traind's words, then the submission's `env`.

    `TRAIND_DEVICE_MEMORY` is the device's memory in bytes. A GPU is named by UUID, since CUDA and NVML
    may count them in different orders; a submission that names one itself is left to it.
    `TRAIND_DEADLINE` is in whole Unix seconds, rounded down: no script counts on time that it has not.
    """
    env = {name: value for name, value in inherited.items() if name not in _PRIVATE}
    env["PYTHONUNBUFFERED"] = "1"
    env["TRAIND_DEVICE_MEMORY"] = str(device.total)
    if stop_at is not None:
        env["TRAIND_DEADLINE"] = str(math.floor(stop_at))
    if device.kind is DeviceKind.NVML and device.uuid is not None:
        env["CUDA_VISIBLE_DEVICES"] = device.uuid
    # Nobody else may set these two: what a dead shim left behind is known by them.
    identity = {"TRAIND_RUN_ID": run.id, "TRAIND_ATTEMPT": str(attempt.number)}
    return env | dict(run.spec.env) | identity
