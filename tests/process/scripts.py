"""Scripts launched as real attempts, for the tests of starting and killing."""

import asyncio
import os
from collections.abc import Callable

from supervisor.process.attempt import AttemptProcess

ENV = {
    "PATH": os.environ["PATH"],
    "GREETING": "hello wörld",
    "TRAIND_RUN_ID": f"tested-by-{os.getpid()}",
    "TRAIND_ATTEMPT": "1",
}
Launch = Callable[..., "asyncio.Future[AttemptProcess]"]


def log_of(process: AttemptProcess) -> str:
    return (process.directory / "log").read_text()
