"""The daemon dies at any step of a run, and the next one brings the run to the very same end.

The steps are the commits: a crash is tried before each, when what it would record has been done, and
after each, when what it announces has not.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.run import AttemptOutcome, Reason, RunState, Stage
from supervisor.engine.committer import Committer
from supervisor.engine.engine import Engine
from supervisor.engine.requests import RequestRefusedError
from supervisor.engine.submission import Submission
from supervisor.store.changes import Change
from tests.daemon import SCRIPT_PYTHON, eventually
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended, until

GROWING = """\
import pathlib, time
BATCH_SIZE = 64
with open("launches", "a") as file:
    print(BATCH_SIZE, file=file)
batch = b"x" * (BATCH_SIZE << 20)
print("Epoch 1/2", flush=True)
"""
TRAINS = GROWING + "BATCH_SIZE > 64 or time.sleep(60)\n"
RUNS_OUT = (
    GROWING
    + """\
if BATCH_SIZE > 32:
    raise SystemExit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
"""
)
FOLLOWED = GROWING + "pathlib.Path(\"predict.py\").write_text(\"open('launches', 'a').write('predicted')\")\n"
ENDLESS = GROWING + "time.sleep(60)\n"
BESIDE = (
    GROWING.replace(
        "BATCH_SIZE = 64\n",
        "from ruamel.yaml import YAML\n"
        'BATCH_SIZE = YAML(typ="safe", pure=True).load(open("config.yaml"))["train"]["batch_size"]\n',
    )
    + "BATCH_SIZE > 64 or time.sleep(60)\n"
)
CONFIG = "# ours\ntrain:\n  lr: 1e-3\n  batch_size: 64  # of 24 GB\n"
CUT = ENDLESS.replace(
    "time.sleep(60)",
    "pathlib.Path(\"predict.py\").write_text(\"open('launches', 'a').write('predicted')\"); time.sleep(60)",
)


@dataclass(frozen=True)
class Course:
    """A run's script, what is asked of it, and the end that it comes to with or without crashes."""

    script: str
    steps: int
    state: RunState
    reason: Reason
    launches: str
    outcomes: list[AttemptOutcome]
    left_in_script: int
    body: dict[str, Any] = field(default_factory=dict)
    stop: bool = False
    relaunch: int | None = None
    config: str = ""
    python: str = SCRIPT_PYTHON

    def submission(self, path: Path) -> Submission:
        return Submission(script=str(path), grace_s=5, python=self.python, **self.body)


# Late enough for a script that starts slowly: a first look without a step would be one commit more.
JUDGED = {"checkpoint": {"after_s": 1.5}}
UNJUDGED = {"checkpoint": {"after_s": 30}}
SUPERSEDED, COMPLETED = AttemptOutcome.SUPERSEDED, AttemptOutcome.COMPLETED
COURSES = {
    "underused": Course(
        TRAINS,
        13,
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "64\n128\n",
        [SUPERSEDED, COMPLETED],
        128,
        JUDGED,
    ),
    "size in a file beside": Course(
        BESIDE,
        13,
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "64\n128\n",
        [SUPERSEDED, COMPLETED],
        64,
        JUDGED,
        config=CONFIG,
        python=sys.executable,
    ),
    "out of memory": Course(
        RUNS_OUT,
        12,
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "64\n32\n",
        [AttemptOutcome.OUT_OF_MEMORY, COMPLETED],
        32,
        UNJUDGED,
    ),
    "follow-up": Course(
        FOLLOWED,
        11,
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "64\npredicted",
        [COMPLETED, COMPLETED],
        64,
        {"follow_up": {"script": "predict.py"}, "checkpoint": {"after_s": 30}},
    ),
    "stopped": Course(
        ENDLESS,
        7,
        RunState.STOPPED,
        Reason.USER_REQUEST,
        "64\n",
        [AttemptOutcome.STOPPED],
        64,
        UNJUDGED,
        stop=True,
    ),
    "budget": Course(
        CUT,
        12,
        RunState.SUCCEEDED,
        Reason.BUDGET_EXHAUSTED,
        "64\npredicted",
        [AttemptOutcome.STOPPED, COMPLETED],
        64,
        {
            "follow_up": {"script": "predict.py"},
            "checkpoint": {"after_s": 30},
            "artifacts": [{"path": "launches"}],
            # The time for training is over soon, the deadline far off.
            "budget_s": 47,
            "reserve_s": 40,
        },
    ),
    "relaunch asked for": Course(
        TRAINS,
        13,
        RunState.SUCCEEDED,
        Reason.COMPLETED,
        "64\n128\n",
        [SUPERSEDED, COMPLETED],
        128,
        UNJUDGED,
        relaunch=128,
    ),
}


class Crash:
    """Stops all storing before or after one commit, as a SIGKILL at that moment does."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self._after = after
        self.happened = asyncio.Event()
        crash = self

        class Crashing(Committer):
            async def commit(self, change: Change) -> None:
                if not crash._after:
                    await crash._step()
                await super().commit(change)
                if crash._after:
                    await crash._step()

            async def flush(self) -> None:
                if not crash.happened.is_set():
                    await super().flush()

        self.committer = Crashing

    async def _step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.happened.set()
            await asyncio.Event().wait()


CASES = [
    pytest.param(course, step, after, id=f"{name}-{'after' if after else 'before'}-{step}")
    for name, course in COURSES.items()
    for step in range(1, course.steps + 1)
    for after in (False, True)
]


@pytest.mark.parametrize(("course", "step", "after"), CASES)
async def test_a_crash_at_any_step_changes_nothing_of_the_end(
    course: Course,
    step: int,
    after: bool,
    open_here: OpenEngine,
    script: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = script(course.script)
    config = script(course.config, "config.yaml")
    crash = Crash(step, after=after)
    monkeypatch.setattr("supervisor.engine.assembly.Committer", crash.committer)
    async with open_here() as engine:
        run_id = (
            await engine.submit(Submission(script=str(path), grace_s=5, python=course.python, **course.body))
        ).id
        await _first_of(crash.happened.wait(), _go_through(engine, run_id, course, path))
    assert crash.happened.is_set(), "there are fewer steps than this; take the number down"
    monkeypatch.undo()

    async with open_here() as engine:
        await _go_through(engine, run_id, course, path)
        run = await ended(engine, run_id)
        attempts = await engine.attempts(run_id)
        numbers = [event.number for event in await engine.events(run_id, 0, 500)]

    assert (run.state, run.reason) == (course.state, course.reason)
    assert [attempt.outcome for attempt in attempts] == course.outcomes
    assert (path.parent / "launches").read_text() == course.launches
    assert path.read_text() == course.script.replace("= 64", f"= {course.left_in_script}")
    assert config.read_text() == course.config.replace(": 64", ": 128")
    assert numbers == sorted(set(numbers))
    assert not list((path.parent).glob(".*traind*"))


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES.keys())
async def test_the_steps_tried_are_all_that_there_are(
    course: Course, open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(course.script)
    script(course.config, "config.yaml")
    never = Crash(1000, after=True)
    monkeypatch.setattr("supervisor.engine.assembly.Committer", never.committer)
    async with open_here() as engine:
        run_id = (
            await engine.submit(Submission(script=str(path), grace_s=5, python=course.python, **course.body))
        ).id
        await _go_through(engine, run_id, course, path)

    assert 1000 - never.left == course.steps


async def test_script_that_ended_before_its_start_was_on_record_comes_to_its_own_end(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script("print('GPU Memory Used: 1 GB')\nraise SystemExit(3)\n")
    crash = Crash(3, after=False)  # after the device and the launch, before the start
    monkeypatch.setattr("supervisor.engine.assembly.Committer", crash.committer)
    async with open_here() as engine:
        run_id = (await engine.submit(Submission(script=str(path)))).id
        await crash.happened.wait()
        record = engine.log_path(run_id, Stage.TRAINING, 1).with_name("exit.json")
    eventually(record.exists)
    monkeypatch.undo()

    async with open_here() as engine:
        run = await ended(engine, run_id)
        types = [event.type for event in await engine.events(run_id, 0, 500)]

    assert (run.state, run.reason, run.exit_code) == (RunState.FAILED, Reason.EXIT_CODE, 3)
    assert run.started_at is not None
    assert types[-4:] == ["attempt_started", "memory_reported", "attempt_ended", "run_ended"]


async def _go_through(engine: Engine, run_id: str, course: Course, path: Path) -> None:
    """Do from outside what the course needs, and see the run end."""
    if course.stop or course.relaunch:
        launched = path.parent / "launches"
        await until(engine, run_id, lambda run: run.state.ended or run.state is RunState.RUNNING)
        while not launched.exists():
            await asyncio.sleep(0.01)
        run = await engine.find(run_id)
        if course.stop:
            await engine.stop(run, None)
        else:
            # After a crash it may be on record already: then it is refused and carried out all the same.
            with suppress(RequestRefusedError):
                await engine.relaunch(run, batch_size=course.relaunch, if_attempt=1)
    await ended(engine, run_id)


async def _first_of(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
