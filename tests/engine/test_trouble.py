"""What goes wrong in the world beside the script: none of it ends a run that goes on, none is swallowed."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from supervisor.devices.base import DeviceError, DeviceInfo
from supervisor.devices.host import HostDevice
from supervisor.domain.checkpoint import VerdictKind
from supervisor.domain.reading import DeviceSample
from supervisor.domain.run import AttemptOutcome, Reason, Run, RunState, Stage
from supervisor.engine import conductor
from supervisor.engine.assembly import open_engine
from supervisor.engine.conductor import Conductor
from supervisor.engine.config import EngineConfig, Timeouts
from supervisor.engine.engine import Engine, UnknownRunError
from supervisor.engine.journal import Journal
from supervisor.engine.services import Services
from supervisor.engine.submission import Submission, SubmissionError
from supervisor.process.attempt import AttemptProcess, read_started
from supervisor.store.faults import StoreError
from tests.engine.conftest import CAPACITY, CHECKPOINT, OpenEngine
from tests.engine.runs import ended, event_seen, event_types, until

Write = Callable[..., Path]
ENDLESS = "import time\nBATCH_SIZE = 64\nprint('Epoch 1/2', flush=True)\ntime.sleep(60)\n"
UNTIL_TOLD = "import pathlib, time\nwhile not pathlib.Path('end').exists():\n    time.sleep(0.01)\n"
SHORT = "print('Epoch 1/1')\n"


async def submit(engine: Engine, path: Path, **body: object) -> str:
    return (await engine.submit(Submission(script=str(path), grace_s=1, **body))).id  # type: ignore[arg-type]


async def stop(engine: Engine, run_id: str) -> None:
    await engine.stop(await engine.find(run_id), 0)


async def test_what_cannot_be_killed_leaves_the_run_stopping_and_says_so(
    open_here: OpenEngine, script: Write
) -> None:
    """A stopped shim stands in for an uninterruptible process: the kill that it owes does not come."""
    async with open_here(timeouts=Timeouts(kill_s=0.2)) as engine:
        run_id = await submit(engine, script(ENDLESS), checkpoint={"after_s": 30})
        await event_seen(engine, run_id, "progress")
        directory = engine.log_path(run_id, Stage.TRAINING, 1).parent
        started = read_started(directory)
        assert started is not None
        os.kill(started.shim_pid, signal.SIGSTOP)
        await stop(engine, run_id)

        stuck = await until(engine, run_id, lambda run: run.reason is Reason.UNKILLABLE)
        assert stuck.state is RunState.STOPPING
        assert f"processes {started.pid} have not ended after SIGKILL" in (stuck.detail or "")
        assert "warning" in await event_types(engine, run_id)

        os.kill(started.shim_pid, signal.SIGCONT)
        run = await ended(engine, run_id)
        assert (run.state, run.reason) == (RunState.STOPPED, Reason.USER_REQUEST)


async def test_an_attempt_that_could_not_be_killed_in_time_is_not_relaunched(
    open_here: OpenEngine, script: Write
) -> None:
    path = script(ENDLESS)
    async with open_here(timeouts=Timeouts(kill_s=0.2)) as engine:
        run_id = await submit(engine, path)
        await event_seen(engine, run_id, "progress")
        started = read_started(engine.log_path(run_id, Stage.TRAINING, 1).parent)
        assert started is not None
        os.kill(started.shim_pid, signal.SIGSTOP)
        await until(engine, run_id, lambda run: run.reason is Reason.UNKILLABLE)
        os.kill(started.shim_pid, signal.SIGCONT)
        run = await ended(engine, run_id)

        assert (run.state, run.reason, run.attempt) == (
            RunState.FAILED,
            Reason.UNKILLABLE,
            1,
        )


async def test_an_interpreter_that_goes_away_before_the_launch_fails_the_run(
    open_here: OpenEngine, script: Write, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    follow_up = {"script": "predict.py"}
    path = script(f"import os\nos.unlink({str(python)!r})\n")
    async with open_here() as engine:
        run_id = await submit(engine, path, python=str(python), follow_up=follow_up)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)

    assert (run.state, run.reason) == (RunState.FAILED, Reason.FOLLOW_UP_FAILED)
    assert (attempts[-1].outcome, attempts[-1].reason) == (AttemptOutcome.FAILED, Reason.SPAWN_FAILED)
    assert "could not be executed" in (attempts[-1].detail or "")


async def test_a_follow_up_that_is_missing_fails_the_run_and_its_log_says_why(
    open_here: OpenEngine, script: Write
) -> None:
    async with open_here() as engine:
        run_id = await submit(engine, script(SHORT), follow_up={"script": "predict.py"})
        run = await ended(engine, run_id)
        log = engine.log_path(run_id, Stage.FOLLOW_UP, 1).read_text()

    assert (run.state, run.reason, run.exit_code) == (RunState.FAILED, Reason.FOLLOW_UP_FAILED, 2)
    assert "predict.py" in log


async def test_a_conductor_that_fails_is_started_again_and_shows_until_then(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Conductor._first_attempt
    seen: list[dict[str, str]] = []

    async with open_here() as engine:

        async def failing(conductor: Conductor) -> None:
            seen.append(dict(engine.failures))
            if len(seen) < 3:
                raise ZeroDivisionError("of the conductor's own")
            await good(conductor)

        monkeypatch.setattr(Conductor, "_first_attempt", failing)
        run_id = await submit(engine, script(SHORT))
        run = await ended(engine, run_id)
        async with asyncio.timeout(10):
            while engine.failures:
                await asyncio.sleep(0.01)

    assert run.state is RunState.SUCCEEDED
    assert seen[2] == {run_id: "ZeroDivisionError: of the conductor's own"}


async def test_a_store_that_fails_for_a_while_holds_up_the_run_and_loses_nothing(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_here() as engine:
        run_id = await submit(engine, script(ENDLESS), checkpoint={"after_s": 30})
        await event_seen(engine, run_id, "progress")
        database = engine.services.database

        async def full(work: object) -> None:
            raise StoreError("database or disk is full")

        monkeypatch.setattr(database, "write", full)
        asked = asyncio.create_task(stop(engine, run_id))
        async with asyncio.timeout(10):
            while not engine.failures:
                await asyncio.sleep(0.01)
        assert "disk is full" in engine.failures[run_id]
        monkeypatch.undo()
        await stop(engine, run_id)
        run = await ended(engine, run_id)
        asked.cancel()

    assert run.state is RunState.STOPPED


class Faulty(HostDevice):
    """A driver that hangs, or fails, for as long as it is told to."""

    def __init__(self) -> None:
        super().__init__(CAPACITY)
        self.hangs = False
        self.fails = False

    def sample(self, pids: Iterable[int], now: float) -> DeviceSample:
        while self.hangs:
            time.sleep(0.01)
        if self.fails:
            raise DeviceError("the driver says no")
        return super().sample(pids, now)


def config_of(tmp_path: Path) -> EngineConfig:
    return EngineConfig(
        tmp_path / "state",
        python=sys.executable,
        sample_every_s=0.05,
        checkpoint=CHECKPOINT,
        timeouts=Timeouts(device_read_s=0.1, conductor_restart_s=0.05),
    )


def is_judged(run: Run) -> bool:
    return run.verdict is not None and run.verdict.kind is not VerdictKind.DEFERRED


@pytest.mark.parametrize("fault", ["hangs", "fails"])
async def test_a_driver_that_hangs_or_fails_never_kills_and_is_used_again_afterwards(
    tmp_path: Path, script: Write, fault: str
) -> None:
    device = Faulty()
    setattr(device, fault, True)
    async with open_engine(config_of(tmp_path), {"host": device}) as engine:
        run_id = await submit(engine, script(ENDLESS))
        judged = await until(engine, run_id, is_judged)
        assert judged.verdict is not None
        assert (judged.verdict.kind, judged.state) == (VerdictKind.NO_EVIDENCE, RunState.RUNNING)

        setattr(device, fault, False)
        async with asyncio.timeout(10):
            while (await engine.find(run_id)).observed.measured is None:
                await asyncio.sleep(0.01)
        await stop(engine, run_id)
        run = await ended(engine, run_id)

    assert (run.state, run.attempt) == (RunState.STOPPED, 1)


async def test_a_run_whose_device_is_missing_after_a_restart_goes_on_unmeasured(
    open_here: OpenEngine, script: Write, tmp_path: Path
) -> None:
    path = script("print('Epoch 1/2')\n" + UNTIL_TOLD)
    async with open_here() as engine:
        run_id = await submit(engine, path, checkpoint={"after_s": 30})
        await event_seen(engine, run_id, "progress")
    other = HostDevice(CAPACITY)
    other.info = DeviceInfo("other", other.info.kind, "another", CAPACITY)
    async with open_engine(config_of(tmp_path), {"other": other}) as engine:
        await event_seen(engine, run_id, "attempt_adopted")
        assert list(engine.devices) == ["other"]
        with pytest.raises(SubmissionError, match="there is no device 'host' here; there is other"):
            await submit(engine, path, devices=("host",))
        (path.parent / "end").touch()
        run = await ended(engine, run_id)

    assert (run.state, run.reason) == (RunState.SUCCEEDED, Reason.COMPLETED)


async def test_nothing_is_launched_for_a_device_that_is_missing(
    open_here: OpenEngine, script: Write, tmp_path: Path
) -> None:
    path = script(UNTIL_TOLD)
    async with open_here() as engine:
        run_id = await submit(engine, path, checkpoint={"after_s": 30}, follow_up={"script": "train.py"})
        await event_seen(engine, run_id, "attempt_started")
    (path.parent / "end").touch()
    other = HostDevice(CAPACITY)
    other.info = DeviceInfo("other", other.info.kind, "another", CAPACITY)
    async with open_engine(config_of(tmp_path), {"other": other}) as engine:
        run = await ended(engine, run_id)

    assert (run.state, run.reason) == (RunState.FAILED, Reason.FOLLOW_UP_FAILED)
    assert "device host is not here any more" in (run.detail or "")


async def test_a_run_in_line_for_a_device_that_is_missing_ends_and_names_it(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with open_here() as engine:
        monkeypatch.setattr(
            engine.services.queue, "join", lambda *_: asyncio.get_running_loop().create_future()
        )
        run_id = await submit(engine, script(SHORT), devices=("host",))
    other = HostDevice(CAPACITY)
    other.info = DeviceInfo("other", other.info.kind, "another", CAPACITY)
    async with open_engine(config_of(tmp_path), {"other": other}) as engine:
        run = await ended(engine, run_id)

    assert (run.state, run.reason) == (RunState.FAILED, Reason.DEVICE_UNAVAILABLE)
    assert run.detail == "there is no device 'host' here; there is other"


async def test_unknown_references_and_devices_are_errors_of_the_caller(
    open_here: OpenEngine, script: Write
) -> None:
    async with open_here() as engine:
        with pytest.raises(UnknownRunError):
            await engine.find("latest")
        with pytest.raises(SubmissionError, match="there is no device 'gpu-9' here; there is host"):
            await submit(engine, script(SHORT), devices=("gpu-9",))
        assert await engine.runs() == []


@pytest.mark.parametrize(
    ("text", "state", "reason"),
    [
        (SHORT, RunState.SUCCEEDED, Reason.COMPLETED),
        ("raise SystemExit(3)\n", RunState.FAILED, Reason.EXIT_CODE),
        (ENDLESS, RunState.STOPPED, Reason.USER_REQUEST),
    ],
    ids=["completed", "failed", "superseded"],
)
async def test_a_stop_between_two_attempts_ends_the_run(
    open_here: OpenEngine,
    script: Write,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    state: RunState,
    reason: Reason,
) -> None:
    good, asked = conductor.carry, []

    async def carry_and_be_stopped(services: Services, journal: Journal, *rest: Any) -> frozenset[int]:
        pids = await good(services, journal, *rest)
        asked.append(asyncio.create_task(stop(engine, journal.run.id)))
        await asyncio.sleep(0.05)
        return pids

    monkeypatch.setattr(conductor, "carry", carry_and_be_stopped)
    async with open_here() as engine:
        run_id = await submit(engine, script(text), follow_up={"script": "train.py"})
        run = await ended(engine, run_id)
        async with asyncio.timeout(10):
            await asked[0]
        assert engine.failures == {}

    assert (run.state, run.reason, run.attempt, len(asked)) == (state, reason, 1, 1)


async def test_script_that_runs_out_of_memory_while_it_is_about_to_be_superseded_goes_back_and_not_round(
    open_here: OpenEngine, script: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees its own edit, and ends before the kill: the edit is undone, and half the size is tried next."""
    path = script(
        """
        import pathlib, time
        BATCH_SIZE = 64
        held = b"x" * (BATCH_SIZE << 20)
        print("Epoch 1/2", flush=True)
        while BATCH_SIZE == 64:
            if "SIZE = 64\\nheld" not in pathlib.Path(__file__).read_text():
                raise SystemExit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
            time.sleep(0.001)
        """
    )
    stop = AttemptProcess.stop

    async def late(process: AttemptProcess, grace_s: float) -> None:
        await process.wait()
        await stop(process, grace_s)

    monkeypatch.setattr(AttemptProcess, "stop", late)
    async with open_here() as engine:
        run = await ended(engine, await submit(engine, path))
        attempts = await engine.attempts(run.id)
    assert [item.outcome for item in attempts] == [AttemptOutcome.OUT_OF_MEMORY, AttemptOutcome.COMPLETED]
    assert [item.batch_size for item in attempts] == [64, 32]
    assert run.state is RunState.SUCCEEDED
