"""Launching a script by its text, and ending it whatever the test did."""

import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.process.attempt import AttemptProcess, LaunchSpec
from tests.daemon import SCRIPT_PYTHON
from tests.process.scripts import ENV, Launch


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    made: list[AttemptProcess] = []
    env = {**ENV, "TRAIND_ATTEMPT": tmp_path.name}  # no two tests' attempts are one another's

    async def start(text: str, *, python: str = SCRIPT_PYTHON, cwd: Path = tmp_path) -> AttemptProcess:
        script = tmp_path / "script.py"
        script.write_text(textwrap.dedent(text))
        directory = tmp_path / "attempt"
        directory.mkdir(exist_ok=True)
        process = await AttemptProcess.launch(
            directory, LaunchSpec((python, "-u", str(script)), env, str(cwd))
        )
        made.append(process)
        return process

    yield start  # type: ignore[misc] # a coroutine function is the callable meant
    for process in made:
        await process.stop(0)
        await process.wait()
        process.close()
