"""What the shim costs: memory, start, idling, and a script whose orphans end all the time."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import middle, table
from supervisor.process import shim
from supervisor.process.records import write_record
from tests.daemon import eventually

_ROUNDS = 50
_IDLE_S = 10.0
_STORM_S = 5.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_STORM = """\
import os, time
until = time.monotonic() + 60
count = 0
while time.monotonic() < until:
    if os.fork() == 0:
        os.fork()
        os._exit(0)
    os.wait()
    count += 1
    time.sleep(0.001)
    open("count", "w").write(str(count))
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="traind-bench-") as name:
        folder = Path(name)
        starts = [_start_s(folder / f"start-{number}") for number in range(_ROUNDS)]
        idle = _Shim(folder / "idle", ["/bin/sleep", "60"])
        resident, proportional = idle.memory("status", "VmRSS:"), idle.memory("smaps_rollup", "Pss:")
        idle_cpu = idle.cpu_over(_IDLE_S)
        idle.end()
        storm = _Shim(folder / "storm", [sys.executable, "-S", "-c", _STORM])
        storm_cpu = storm.cpu_over(_STORM_S)
        rate = int((folder / "storm" / "count").read_text()) / _STORM_S
        storm.end()
    table(
        "the shim",
        [
            ("resident memory (VmRSS)", f"{resident / 1e6:.1f} MB", "< 12 MB"),
            ("  its share, pages of several processes split (PSS)", f"{proportional / 1e6:.1f} MB", ""),
            (f"spawn to the script's exec, median of {_ROUNDS}", f"{middle(starts) * 1e3:.0f} ms", "< 50 ms"),
            (f"CPU while the script runs, over {_IDLE_S:.0f} s", f"{idle_cpu * 1e3:.0f} ms", "0 ms"),
            (f"CPU of one core with about {rate:.0f} orphans a second", f"{storm_cpu / _STORM_S:.1%}", ""),
        ],
    )


class _Shim:
    """A shim started as the daemon starts it, less the channel back."""

    def __init__(self, directory: Path, argv: list[str]) -> None:
        directory.mkdir()
        self.directory = directory
        write_record(str(directory), "spec.json", {"argv": argv, "env": {}, "cwd": str(directory)})
        self.began = time.monotonic()
        command = [sys.executable, "-I", "-S", shim.__file__, str(directory)]
        self.process = subprocess.Popen(command, env={})
        self.leader = eventually(self._leader)

    def _leader(self) -> int:
        path = self.directory / "started.json"
        return int(json.loads(path.read_text())["pid"]) if path.exists() else 0

    def memory(self, file: str, field: str) -> int:
        text = Path(f"/proc/{self.process.pid}/{file}").read_text()
        return int(text.split(field)[1].split()[0]) * 1024

    def cpu_over(self, seconds: float) -> float:
        before = self._cpu()
        time.sleep(seconds)
        return self._cpu() - before

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def end(self) -> None:
        os.kill(self.leader, 9)
        self.process.wait()


def _start_s(directory: Path) -> float:
    """From the spawn of the shim to the first instruction of a program that writes down when it ran."""
    directory.mkdir()
    argv = ["/bin/sh", "-c", "exec date +%s.%N > ran"]
    write_record(
        str(directory), "spec.json", {"argv": argv, "env": {"PATH": "/usr/bin:/bin"}, "cwd": str(directory)}
    )
    began = time.time()
    subprocess.run([sys.executable, "-I", "-S", shim.__file__, str(directory)], env={}, check=True)
    return float((directory / "ran").read_text()) - began
