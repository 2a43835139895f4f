"""The state directory: one daemon's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.domain.run import Stage
from supervisor.store.statedir import StateDir, StateDirError

HOLD = """
import sys, time
from pathlib import Path
from supervisor.store.statedir import StateDir
held = StateDir.open(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_daemon_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    first = StateDir.open(tmp_path / "state")
    with pytest.raises(StateDirError, match=f"in use by process {os.getpid()}; stop that daemon, or choose"):
        StateDir.open(tmp_path / "state")
    first.close()
    first.close()

    StateDir.open(tmp_path / "state").close()


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StateDirError, match=f"in use by process {holder.pid}"):
            StateDir.open(tmp_path)
        holder.kill()

    StateDir.open(tmp_path).close()


def test_nobody_else_can_look_into_it(tmp_path: Path) -> None:
    StateDir.open(tmp_path / "a" / "state").close()

    assert (tmp_path / "a" / "state").stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        StateDirError, match=r"cannot be written: Not a directory; choose another by --state-dir"
    ):
        StateDir.open(tmp_path / "file" / "state")


def test_every_attempt_has_a_directory_of_its_own(tmp_path: Path) -> None:
    state = StateDir.open(tmp_path)
    places = {state.attempt_dir("r", stage, number) for stage in Stage for number in (1, 2)}
    state.close()

    assert len(places) == 4
    assert state.attempt_dir("r", Stage.TRAINING, 1) == tmp_path / "runs" / "r" / "attempt-1"
