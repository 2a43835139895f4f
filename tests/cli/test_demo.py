"""The demo, whole: real training, really corrected."""

import subprocess
import sys

import pytest


@pytest.mark.workload
@pytest.mark.timeout(300)
def test_the_demo_corrects_a_batch_that_is_too_small_and_makes_a_submission() -> None:
    command = [sys.executable, "-m", "supervisor.cli", "demo", "--checkpoint-after", "10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict underused" in done.stdout
    assert "64 -> 128" in done.stdout
    assert "before: batch 64 at " in done.stdout
    assert "relaunches: 1" in done.stdout
    assert "train.py: BATCH_SIZE = 128" in done.stdout
    assert "submission.csv: 360 rows" in done.stdout
