"""When a live attempt is judged: not by a look that is older than its first step."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from supervisor.devices.base import DeviceError
from supervisor.domain.checkpoint import VerdictKind
from supervisor.engine import checkpointing
from supervisor.engine.submission import Submission
from tests.engine.conftest import OpenEngine
from tests.engine.runs import until

LATE = """\
import pathlib, time
BATCH_SIZE = 64
time.sleep(1.2)
batch = b"x" * (130 << 20)
print("Epoch 1/1", flush=True)
while not pathlib.Path("finish").exists():
    time.sleep(0.01)
"""


async def test_memory_that_came_with_the_first_step_is_looked_at_before_it_is_judged(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(LATE)
    checkpoint = {"after_s": 0.1, "retry_s": 0.05, "max_wait_s": 30, "window_s": 2, "settle_s": 1}
    async with open_here(sample_every_s=1.0) as engine:
        run_id = (await engine.submit(Submission(script=str(path), checkpoint=checkpoint))).id
        run = await until(
            engine,
            run_id,
            lambda run: run.verdict is not None and run.verdict.kind is not VerdictKind.DEFERRED,
        )
        (path.parent / "finish").touch()
    assert run.verdict is not None
    assert run.verdict.kind is VerdictKind.GOOD, run.verdict.why


async def test_looks_from_before_the_first_step_are_no_evidence_even_where_none_comes_after_it(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointing, "_LOOK_WAIT_S", 0.2)
    path = script(LATE)
    checkpoint = {"after_s": 0.1, "retry_s": 0.05, "max_wait_s": 30, "window_s": 60, "settle_s": 1}
    async with open_here(sample_every_s=0.2) as engine:
        run_id = (await engine.submit(Submission(script=str(path), checkpoint=checkpoint))).id
        run = await until(engine, run_id, lambda run: run.observed.measured is not None)
        engine.services.devices[run.device_id or ""].sample = hang  # type: ignore[method-assign] # as a driver may
        run = await until(
            engine,
            run_id,
            lambda run: run.verdict is not None and run.verdict.kind is not VerdictKind.DEFERRED,
        )
        hanging.set()
        (path.parent / "finish").touch()
        attempts = await engine.attempts(run_id)
    assert run.verdict is not None
    assert run.verdict.kind is VerdictKind.NO_EVIDENCE, run.verdict.why
    assert len(attempts) == 1


hanging = threading.Event()


def hang(*_: object) -> NoReturn:
    hanging.wait(30)
    raise DeviceError("it hung")
