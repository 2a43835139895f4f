"""`traind demo`: a real daemon, a real training with too small a batch, and what becomes of it.

Nothing here is scripted: the daemon is the ordinary one, and another batch size or capacity gives
another course.
"""

import importlib.util
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from supervisor.cli.errors import CommandError
from supervisor.cli.summary import summarise
from supervisor.cli.words import describe
from supervisor.client import Client, ClientError, Submission
from supervisor.devices.base import DeviceError

# Leaves a batch of 64 under half of the memory and one of 128 over it.
_HOST_CAPACITY = "1150MiB"
_START_S = 20.0
_WORKLOAD = "image"
_NEEDED = ("torch", "sklearn")


def run_demo(*, batch_size: int, capacity: str | None, after_s: float, keep: bool) -> None:
    """Run the demo; raises `CommandError` where it cannot, or where the run does not succeed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(f"the demo trains with {' and '.join(missing)}: pip install 'traind[workloads]'")
    console = Console(highlight=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="traind-demo-"))
    try:
        _copy_workload(folder, batch_size)
        console.print(f"demo in {folder}: workload {_WORKLOAD}, batch size {batch_size}")
        with _daemon(folder, capacity or _HOST_CAPACITY) as client:
            run = _train(client, folder, after_s, console)
    except ClientError as error:
        raise CommandError(str(error)) from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if run["state"] != "succeeded":
        raise CommandError(f"the demo's run {run['state']}: {run['reason']} {run['detail'] or ''}")


def _train(client: Client, folder: Path, after_s: float, console: Console) -> Any:
    body: Submission = {
        "script": str(folder / "train.py"),
        "python": sys.executable,
        "name": "demo",
        "checkpoint": {"after_s": after_s, "retry_s": 2.0},
        "follow_up": {"script": "predict.py"},
    }
    run_id = client.submit(**body)["id"]
    began = time.monotonic()
    for event in client.follow_events(run_id):
        sentence = describe(event["type"], event["data"], event["attempt"])
        if sentence:
            console.print(Text(f"{time.monotonic() - began:6.1f}s  {sentence}"))
    run = client.get(run_id)
    console.print("\n" + summarise(run, client.attempts(run_id)))
    for name in ("train.py", "submission.csv"):
        console.print(_artifact(folder / name))
    return run


def _artifact(path: Path) -> str:
    if not path.exists():
        return f"{path.name}: missing"
    lines = path.read_text().splitlines()
    size = next((line for line in lines if line.startswith("BATCH_SIZE")), None)
    return f"{path.name}: {size}" if size else f"{path.name}: {len(lines) - 1} rows"


def _copy_workload(folder: Path, batch_size: int) -> None:
    found = next((place for place in _workload_places() if place.is_dir()), None)
    if found is None:
        raise CommandError("the workloads are not here; install traind with its extra `workloads`")
    for name in ("train.py", "predict.py", "sample_submission.csv"):
        shutil.copy(found / name, folder / name)
    script = folder / "train.py"
    text = re.sub(r"(?m)^BATCH_SIZE = \d+", f"BATCH_SIZE = {batch_size}", script.read_text())
    script.write_text(text)


def _workload_places() -> list[Path]:
    """Beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    return [package.parent / "workloads" / _WORKLOAD, package / "workloads" / _WORKLOAD]


@contextmanager
def _daemon(folder: Path, capacity: str) -> Iterator[Client]:
    """The ordinary daemon, in a process of its own, on a free port."""
    state_dir = folder / "state"
    device = ["--device", "nvml"] if _has_gpu() else ["--device", "host", "--host-capacity", capacity]
    command = [sys.executable, "-m", "supervisor.cli", "serve", "--state-dir", str(state_dir), "--port", "0"]
    with (folder / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen([*command, *device], stderr=log, stdin=subprocess.DEVNULL)
    try:
        url = _await_url(daemon, state_dir, folder / "daemon.log")
        client = Client(url, (state_dir / "token").read_text().strip())
        try:
            yield client
        finally:
            client.close()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


def _await_url(daemon: "subprocess.Popen[bytes]", state_dir: Path, log: Path) -> str:
    deadline = time.monotonic() + _START_S
    announcement = state_dir / "daemon.json"
    while time.monotonic() < deadline and daemon.poll() is None:
        if announcement.exists():
            return str(json.loads(announcement.read_text())["url"])
        time.sleep(0.05)
    raise CommandError(f"the daemon did not start: {log.read_text().strip() or 'it says nothing'}")


def _has_gpu() -> bool:
    from supervisor.devices.nvml import NvmlSession

    try:
        session = NvmlSession.open()
    except DeviceError:
        return False
    found = bool(session.devices)
    session.close()
    return found
