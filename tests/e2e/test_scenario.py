"""The whole of it, as real processes against a stand-in GPU: what becomes of runs of every kind.

The training script registers its memory with the stand-in as a driver would see it, prints what it is
told to, and ends when the test lets it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import Daemon, eventually
from tests.nvml_standin import GB, Standin, StandinDevice

CHECKPOINT = {"after_s": 0.6, "retry_s": 0.2, "max_wait_s": 1.5, "window_s": 0.5, "settle_s": 0.3}

TRAIN = """\
import os, pathlib, signal, sys, time

BATCH_SIZE = 64  # per step
HELD = {held}
PRINTED = {printed}
{extra}

def hold(gigabytes):
    folder = pathlib.Path(os.environ["NVML_STANDIN_DIR"])
    beside = folder / f".process-{{os.getpid()}}"
    beside.write_text(f"0 {{int(gigabytes * 10**9)}} compute\\n")
    beside.rename(folder / f"process-{{os.getpid()}}-0compute")

hold(HELD[BATCH_SIZE])
if PRINTED:
    used = PRINTED[BATCH_SIZE]
    print(f"GPU Memory Used: {{used}} GB / 24.0 GB ({{used / 24:.1%}})")
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def _fresh_gpu(standin: Standin, gpu_daemon: Daemon) -> Iterator[None]:
    standin.heal()
    standin.set_devices(StandinDevice())
    yield
    gpu_daemon.stop_everything()


@pytest.fixture
def train(script: Callable[..., Path]) -> Callable[..., Path]:
    def write(held: dict[int, float], printed: dict[int, float] | None, extra: str = "") -> Path:
        return script(TRAIN.format(held=held, printed=printed, extra=extra))

    return write


def finish(script: Path) -> None:
    (script.parent / "finish").touch()


def submit(daemon: Daemon, script: Path, **body: Any) -> str:
    return str(daemon.submit(script, checkpoint=CHECKPOINT, grace_s=5, **body)["id"])


def test_half_empty_gpu_doubles_the_batch_once_and_the_run_succeeds(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 8.7, 128: 18.9}, {64: 8.2, 128: 18.3})
    before = path.read_bytes()
    run_id = submit(gpu_daemon, path)

    first = gpu_daemon.event(run_id, "verdict")["verdict"]
    assert (first["kind"], first["agreement"], first["next_batch_size"]) == ("underused", "agree", 128)
    eventually(lambda: gpu_daemon.get(run_id)["attempt"] == 2)
    judged = gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    run = gpu_daemon.wait(run_id)

    assert path.read_bytes() == before.replace(b"BATCH_SIZE = 64", b"BATCH_SIZE = 128")
    assert (judged["verdict"]["kind"], judged["verdict"]["reported"]) == ("good", 18_300_000_000)
    assert judged["verdict"]["attribution"] == "process_tree"
    assert (run["state"], run["reason"], run["attempts"], run["batch_size"]) == (
        "succeeded",
        "completed",
        2,
        128,
    )
    assert [item["outcome"] for item in gpu_daemon.attempts(run_id)] == ["superseded", "completed"]


def test_events_tell_the_steps_in_order(gpu_daemon: Daemon, train: Callable[..., Path]) -> None:
    path = train({64: 8.7, 128: 18.9}, {64: 8.2, 128: 18.3})
    run_id = submit(gpu_daemon, path)
    eventually(lambda: gpu_daemon.get(run_id)["attempt"] == 2)
    gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    gpu_daemon.wait(run_id)

    events = gpu_daemon.events(run_id)
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    attempt = ["attempt_starting", "attempt_started", "memory_reported", "verdict"]
    assert [event["type"] for event in events] == [
        *("run_queued", "run_starting", *attempt),
        *("supersede_decided", "script_edited", "attempt_stopping", "attempt_ended", "device_released"),
        *(*attempt, "attempt_ended", "run_ended"),
    ]


def test_printed_figure_far_above_the_devices_leaves_the_decision_to_the_device(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 8.7, 128: 18.9}, {64: 20.0, 128: 18.3})
    run_id = submit(gpu_daemon, path)
    verdict = gpu_daemon.event(run_id, "supersede_decided")
    first = gpu_daemon.attempts(run_id)[0]["verdict"]
    assert verdict["next_batch_size"] == 128
    assert (first["kind"], first["agreement"], first["decided_by"]) == (
        "underused",
        "disagreement",
        "measured",
    )


def test_printed_figure_far_below_the_devices_leaves_the_decision_to_the_device(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 18.0}, {64: 8.2})
    run_id = submit(gpu_daemon, path)
    verdict = gpu_daemon.wait(run_id, "checkpoint")["verdict"]
    finish(path)
    assert (verdict["kind"], verdict["agreement"], verdict["decided_by"]) == (
        "good",
        "disagreement",
        "measured",
    )
    assert gpu_daemon.wait(run_id)["attempts"] == 1


def test_nvml_failing_at_the_checkpoint_never_kills(
    gpu_daemon: Daemon, standin: Standin, train: Callable[..., Path]
) -> None:
    path = train({64: 8.7}, {64: 8.2})
    run_id = submit(gpu_daemon, path)
    gpu_daemon.wait(run_id, "running")
    standin.fail_memory("UNKNOWN")
    verdict = gpu_daemon.wait(run_id, "checkpoint")["verdict"]
    finish(path)
    run = gpu_daemon.wait(run_id)
    assert (verdict["kind"], verdict["measured"], verdict["reported"]) == ("unverified", None, 8_200_000_000)
    assert (run["state"], run["attempts"]) == ("succeeded", 1)


def test_script_that_prints_nothing_on_an_idle_gpu_is_left_alone(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 2.0}, None)
    run_id = submit(gpu_daemon, path)
    verdict = gpu_daemon.wait(run_id, "checkpoint")["verdict"]
    finish(path)
    kinds = [
        event["data"]["verdict"]["kind"] for event in gpu_daemon.events(run_id) if event["type"] == "verdict"
    ]
    assert kinds == ["deferred", "no_evidence"]
    assert verdict["decided_by"] is None
    assert gpu_daemon.wait(run_id)["state"] == "succeeded"


def test_script_that_prints_nothing_is_corrected_once_kernels_run_and_memory_has_settled(
    gpu_daemon: Daemon, standin: Standin, train: Callable[..., Path]
) -> None:
    standin.change(utilization=85)
    path = train({64: 8.7, 128: 18.9}, None)
    run_id = submit(gpu_daemon, path)
    gpu_daemon.event(run_id, "supersede_decided")
    first = gpu_daemon.attempts(run_id)[0]["verdict"]
    assert (first["kind"], first["agreement"], first["reported"]) == ("underused", "one_sided", None)


def test_memory_of_another_tenant_is_not_the_runs_own_and_leaves_no_room(
    gpu_daemon: Daemon, standin: Standin, train: Callable[..., Path]
) -> None:
    standin.hold(os.getpid(), 12 * GB)
    path = train({64: 8.7}, {64: 8.2})
    run_id = submit(gpu_daemon, path)
    verdict = gpu_daemon.wait(run_id, "checkpoint")["verdict"]
    finish(path)
    standin.hold(os.getpid(), 0)
    assert (verdict["kind"], verdict["measured"]) == ("underused", 8_700_000_000)
    assert "held by others" in verdict["why"]
    assert gpu_daemon.wait(run_id)["attempts"] == 1


def test_size_that_cannot_be_found_is_refused_and_the_run_goes_on(
    gpu_daemon: Daemon, script: Callable[..., Path]
) -> None:
    text = TRAIN.format(held={64: 8.7}, printed={64: 8.2}, extra="").replace("BATCH_SIZE", "ROWS")
    path = script(text)
    run_id = submit(gpu_daemon, path)
    gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    refused = gpu_daemon.event(run_id, "edit_refused")
    assert refused["reason"] == "edit_refused"
    assert path.read_text() == text
    assert gpu_daemon.wait(run_id)["state"] == "succeeded"


def test_script_changed_meanwhile_is_not_overwritten(gpu_daemon: Daemon, train: Callable[..., Path]) -> None:
    path = train({64: 8.7}, {64: 8.2})
    run_id = submit(gpu_daemon, path)
    gpu_daemon.wait(run_id, "running")
    theirs = path.read_text() + "# theirs\n"
    path.write_text(theirs)
    gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    assert gpu_daemon.event(run_id, "edit_refused")["reason"] == "script_changed"
    assert path.read_text() == theirs
    assert gpu_daemon.wait(run_id)["attempts"] == 1


def test_script_that_ends_before_the_checkpoint_just_succeeds(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 8.7}, {64: 8.2})
    finish(path)
    run = gpu_daemon.wait(submit(gpu_daemon, path))
    assert (run["state"], run["exit_code"], run["verdict"]) == ("succeeded", 0, None)


def test_script_that_fails_ends_the_run_with_its_exit_code(
    gpu_daemon: Daemon, script: Callable[..., Path]
) -> None:
    run = gpu_daemon.wait(submit(gpu_daemon, script("raise SystemExit(7)")))
    assert (run["state"], run["reason"], run["exit_code"]) == ("failed", "exit_code", 7)


def test_child_that_ignores_sigterm_is_killed_at_the_end_of_its_grace(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    extra = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    path = train({64: 8.7, 128: 18.9}, {64: 8.2, 128: 18.3}, extra)
    run_id = str(gpu_daemon.submit(path, checkpoint=CHECKPOINT, grace_s=0.5)["id"])
    eventually(lambda: gpu_daemon.get(run_id)["attempt"] == 2)
    first = gpu_daemon.attempts(run_id)[0]
    assert (first["outcome"], first["signal"]) == ("superseded", 9)


def test_second_run_waits_for_the_gpu_and_can_be_stopped_there(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    path = train({64: 18.0}, {64: 18.0})
    first = submit(gpu_daemon, path)
    gpu_daemon.wait(first, "running")
    second = submit(gpu_daemon, path)
    third = submit(gpu_daemon, path)
    assert gpu_daemon.get(second)["state"] == "queued"
    gpu_daemon.http.post(f"/v1/runs/{second}/stop")
    finish(path)
    assert gpu_daemon.wait(second)["state"] == "stopped"
    assert gpu_daemon.wait(third)["state"] == "succeeded"


def test_run_that_runs_out_of_memory_goes_back_to_the_size_that_ran(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    extra = (
        "if BATCH_SIZE == 128:\n"
        "    print('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.')\n"
        "    sys.exit(1)"
    )
    path = train({64: 8.7}, {64: 8.2}, extra)
    run_id = submit(gpu_daemon, path)
    eventually(lambda: gpu_daemon.get(run_id)["attempt"] == 3)
    run = gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    assert "BATCH_SIZE = 64" in path.read_text()
    assert run["verdict"]["kind"] == "underused"
    assert gpu_daemon.wait(run_id)["state"] == "succeeded"
    outcomes = [item["outcome"] for item in gpu_daemon.attempts(run_id)]
    assert outcomes == ["superseded", "out_of_memory", "completed"]


def test_argument_that_sets_the_size_is_changed_instead_of_the_file(
    gpu_daemon: Daemon, train: Callable[..., Path]
) -> None:
    extra = "BATCH_SIZE = int(sys.argv[sys.argv.index('--batch-size') + 1])"
    path = train({64: 8.7, 128: 18.9}, {64: 8.2, 128: 18.3}, extra)
    before = path.read_bytes()
    run_id = submit(gpu_daemon, path, args=["--batch-size", "64"])
    eventually(lambda: gpu_daemon.get(run_id)["attempt"] == 2)
    run = gpu_daemon.wait(run_id, "checkpoint")
    finish(path)
    gpu_daemon.wait(run_id)
    assert (run["batch_size"], run["verdict"]["kind"]) == (128, "good")
    assert path.read_bytes() == before
