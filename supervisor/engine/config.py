"""What the engine must be told. Settings (flags, environment, file) become one of these."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from supervisor.domain.budget import Moment
from supervisor.domain.checkpoint import CheckpointPolicy
from supervisor.domain.sizing import SizingPolicy
from supervisor.process.procfs import boot_id


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Every bound on a wait, in seconds, in one place."""

    launch_s: float = 10.0  # from spawning the shim to the script's exec
    take_up_s: float = 5.0  # at the start, to find out what became of a run's open attempt
    release_s: float = 30.0  # for a device to forget the pids of a dead attempt
    release_poll_s: float = 0.02  # NVML has no event for it
    drain_s: float = 10.0  # to read the rest of a log once its size is known
    device_read_s: float = 2.0  # one look at all devices; a driver can hang
    kill_s: float = 10.0  # from SIGKILL to the end of whatever can be killed
    conductor_restart_s: float = 1.0  # between a conductor's failure and its next start


_boot_id = cache(boot_id)  # the same for as long as this process lives


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks, in seconds: boot time for durations and deadlines, Unix time for people."""

    boottime: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    wall: Callable[[], float] = time.time
    boot_id: Callable[[], str] = _boot_id

    def moment(self) -> Moment:
        """Both clocks at once, for a budget."""
        return Moment(self.boottime(), self.boot_id(), self.wall())


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How much is kept of runs that have ended. Times in seconds; no `max_age_s` (0) keeps them for ever."""

    max_runs: int = 1000
    max_age_s: float = 30 * 86400.0
    every_s: float = 3600.0  # between two passes


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """`host_capacity` is bytes; `device` is auto, nvml or host; empty `allowed_roots` allow every path.

    `log_max_bytes` is what an attempt's log may take on disk; 0 bounds none.
    """

    state_dir: Path
    device: str = "auto"
    host_capacity: int | None = None
    allowed_roots: tuple[Path, ...] = ()
    python: str = "python3"
    sample_every_s: float = 1.0
    grace_s: float = 10.0
    checkpoint: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    sizing: SizingPolicy = field(default_factory=SizingPolicy)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    log_max_bytes: int = 2**30
    timeouts: Timeouts = field(default_factory=Timeouts)
    clock: Clock = field(default_factory=Clock)
