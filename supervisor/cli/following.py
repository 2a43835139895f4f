"""Following a run through the API: its log, and its coming to where it is waited for."""

import sys
import time
from typing import Any

from supervisor.cli.client import Client
from supervisor.cli.errors import USAGE, CommandError

_STEP_S = 25.0  # one wait of the API; many make a long one


def wait_for(client: Client, run_id: str, wanted: str, timeout_s: float | None) -> Any:
    """The run once it is as wanted, has ended, or the time is over."""
    if wanted not in {"checkpoint", "running", "finished"}:
        raise CommandError(f"--for {wanted}: choose checkpoint, running or finished", USAGE)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = _STEP_S if deadline is None else max(0.0, min(_STEP_S, deadline - time.monotonic()))
        found = client.get(f"/v1/runs/{run_id}", wait_s=left, wait_for=wanted, timeout_s=left)
        over = deadline is not None and time.monotonic() >= deadline
        if found["wait"]["outcome"] != "timeout" or over:
            return found


def print_log(client: Client, run_id: str, *, attempt: int | None, stage: str | None, limit: int) -> None:
    """Write the end of a log to stdout."""
    answer = client.get_bytes(f"/v1/runs/{run_id}/log", attempt=attempt, stage=stage, limit=limit)
    sys.stdout.buffer.write(answer.content)
    sys.stdout.buffer.flush()


def follow_log(client: Client, run_id: str, *, attempt: int | None, stage: str | None, limit: int) -> None:
    """Write the end of a log to stdout, and what comes after, until the attempt's end."""
    given = {"follow": "true", "limit": limit, "attempt": attempt, "stage": stage}
    query = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
    with client.stream(f"/v1/runs/{run_id}/log?{query}") as events:
        for kind, data in events:
            if kind == "log":
                sys.stdout.write(data)
                sys.stdout.flush()
