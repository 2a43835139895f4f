"""A real engine in the test's own loop: real processes, host memory as its device, a real store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.checkpoint import CheckpointPolicy
from supervisor.engine.assembly import open_engine
from supervisor.engine.config import EngineConfig, Timeouts
from supervisor.engine.devices import open_devices
from supervisor.engine.engine import Engine
from tests.daemon import SCRIPT_PYTHON

CAPACITY = 200 * 2**20
CHECKPOINT = CheckpointPolicy(after_s=0.4, retry_s=0.1, max_wait_s=2.0, window_s=1.0, settle_s=0.2)

OpenEngine = Callable[..., AbstractAsyncContextManager[Engine]]


@pytest.fixture
def open_here(tmp_path: Path) -> OpenEngine:
    """Opens an engine on one and the same state directory, as often as it is called."""

    @asynccontextmanager
    async def opened(**changes: Any) -> AsyncIterator[Engine]:
        settings: dict[str, Any] = {
            "state_dir": tmp_path / "state",
            "device": "host",
            "host_capacity": CAPACITY,
            "python": SCRIPT_PYTHON,
            "sample_every_s": 0.05,
            "checkpoint": CHECKPOINT,
            "timeouts": Timeouts(conductor_restart_s=0.05),
        }
        config = EngineConfig(**(settings | changes))
        async with open_engine(config, open_devices(config)) as engine:
            yield engine

    return opened
