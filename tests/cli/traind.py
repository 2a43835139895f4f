"""The command line as a process of its own, for tests."""

import os
import subprocess
import sys
from pathlib import Path

WAITING = """\
import pathlib, time
print("Fold 1/5, Epoch 2/10, Loss: 0.5")
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
print("bye")
"""


def traind(*arguments: str, cwd: Path | None = None, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "supervisor.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "TRAIND_CONFIG": "/nonexistent", **env},
    )
