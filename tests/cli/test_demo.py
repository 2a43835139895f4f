"""The demo, whole: real training, really corrected."""

import subprocess
import sys

import pytest

from supervisor.cli.demo import run_demo
from supervisor.cli.errors import CommandError


@pytest.mark.long
@pytest.mark.workload
@pytest.mark.timeout(500)
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


def test_without_its_libraries_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        CommandError, match=r"trains with torch and sklearn: pip install 'traind\[workloads\]'"
    ):
        run_demo(batch_size=64, capacity=None, after_s=1.0, keep=False)
