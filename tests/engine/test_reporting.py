"""The report of a real run, from its engine's record."""

from collections.abc import Callable
from pathlib import Path

from supervisor.domain.report import build_report
from supervisor.domain.run import RunState, Stage
from supervisor.domain.telling import TYPES
from supervisor.engine.submission import Submission
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended

Write = Callable[..., Path]
TRAINS = """\
import time
print("DataLoader: num_workers=3, prefetch_factor=4", flush=True)
for fold in (1, 2):
    print(f"Fold {fold}/2, Epoch 1/1, Loss: 0.5", flush=True)
    time.sleep(0.4)
"""
PREDICTS = """\
import time
print("DataLoader: num_workers=1", flush=True)
print("Fold 1/9, Epoch 1/1, Loss: 0.5", flush=True)
held = bytearray(60 * 2**20)
time.sleep(0.4)
"""


async def test_training_and_its_follow_up_are_told_apart(open_here: OpenEngine, script: Write) -> None:
    path = script(TRAINS)
    script(PREDICTS, "predict.py")
    async with open_here() as engine:
        body = Submission(script=str(path), follow_up={"script": "predict.py"}, checkpoint={"after_s": 30})
        run = await ended(engine, (await engine.submit(body)).id)
        usage = await engine.attempt_usage(run.id)
        events = await engine.events_of_types(run.id, TYPES, 200)
        report = build_report(
            run, await engine.attempts(run.id), [], engine.config.clock.wall(), usage=usage, events=events
        )

    assert run.state is RunState.SUCCEEDED
    training, follow_up = usage[Stage.TRAINING, 1], usage[Stage.FOLLOW_UP, 1]
    assert training.peak is not None
    assert follow_up.peak is not None
    assert training.peak < 60 * 2**20 <= follow_up.peak
    assert all(attempt.cpu_s is not None and attempt.cpu_s > 0 for attempt in report.attempts)
    assert report.progress is not None
    assert (report.progress.fold, report.progress.folds, report.folds_done) == (2, 2, 2)
    assert [advice.code for advice in report.advice] == ["ended_early"]
