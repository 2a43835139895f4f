"""What every conductor shares: the parts of the world that it acts through."""

from dataclasses import dataclass

from supervisor.devices.base import Device
from supervisor.engine.committer import Committer
from supervisor.engine.config import EngineConfig
from supervisor.engine.hub import Hub
from supervisor.engine.queue import DeviceQueue
from supervisor.engine.sampler import Sampler
from supervisor.process.inotify import Inotify
from supervisor.store.database import Database
from supervisor.store.statedir import StateDir


@dataclass(frozen=True, slots=True)
class Services:
    config: EngineConfig
    state_dir: StateDir
    database: Database
    committer: Committer
    hub: Hub
    queue: DeviceQueue
    sampler: Sampler
    inotify: Inotify
    devices: dict[str, Device]
