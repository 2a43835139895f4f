"""The shim's parts by themselves, and the shim run by hand."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.process import life, procfs, records, shim
from supervisor.process.tree import ProcessTable, members
from tests.daemon import eventually


def test_name_of_a_process_may_hold_anything() -> None:
    stat = b"7 (a) S (b 1) R 3 5 6 " + b" ".join(b"%d" % n for n in range(7, 40))
    process = procfs.Process(7, stat)
    assert (process.state, process.ppid, process.group, process.session, process.start_ticks) == (
        b"R",
        3,
        5,
        6,
        22,
    )


def test_process_that_is_not_there_is_none() -> None:
    assert procfs.read_process(2**22 + 1) is None


def test_tree_holds_descendants_and_the_leaders_session_but_not_the_root() -> None:
    def process(pid: int, ppid: int, session: int) -> procfs.Process:
        return procfs.Process(pid, b"%d (x) S %d %d %d " % (pid, ppid, session, session) + b"0 " * 40)

    table = [
        process(10, 1, 10),
        process(11, 10, 11),
        process(12, 11, 12),
        process(13, 1, 11),
        process(14, 1, 14),
    ]
    assert {item.pid for item in procfs.tree_of(table, 10, 11)} == {11, 12, 13}


def test_signal_reaches_only_the_process_that_was_meant() -> None:
    with subprocess.Popen(["sleep", "30"]) as child:
        meant = procfs.read_process(child.pid)
        assert meant is not None
        stranger = procfs.read_process(child.pid)
        assert stranger is not None
        stranger.start_ticks += 1
        assert not procfs.send(stranger, signal.SIGKILL)
        assert child.poll() is None
        assert procfs.send(meant, signal.SIGKILL)
        child.wait()
        assert not procfs.send(meant, signal.SIGKILL)


def test_record_is_whole_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    records.write_record(str(tmp_path), "a.json", {"text": "ü\ud800"})
    assert records.read_record(str(tmp_path), "a.json") == {"text": "ü\ud800"}
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_record_that_cannot_be_put_in_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        records.write_record(str(tmp_path), "a.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_record_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"a\.json does not hold a record"):
        records.read_record(str(tmp_path), "a.json")
    assert records.read_record(str(tmp_path), "b.json") is None


def test_lock_is_held_once_and_dies_with_its_holder(tmp_path: Path) -> None:
    held = records.take_lock(str(tmp_path))
    assert held is not None
    assert records.take_lock(str(tmp_path)) is None
    os.close(held)
    again = records.take_lock(str(tmp_path))
    assert again is not None
    os.close(again)


def test_log_that_is_gone_has_no_size(tmp_path: Path) -> None:
    assert records.sync_log(str(tmp_path / "log")) == 0
    (tmp_path / "log").write_bytes(b"123")
    assert records.sync_log(str(tmp_path / "log")) == 3


def run_shim(directory: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-I", "-S", shim.__file__, str(directory), *arguments])


def test_shim_without_a_spec_or_with_a_start_on_record_launches_nothing(tmp_path: Path) -> None:
    assert run_shim(tmp_path).wait() == life.LOCK_TAKEN
    records.write_record(str(tmp_path), "spec.json", {"argv": ["/bin/true"], "env": {}, "cwd": "/"})
    records.write_record(str(tmp_path), "started.json", {})
    assert run_shim(tmp_path).wait() == life.LOCK_TAKEN
    assert not (tmp_path / "exit.json").exists()


def test_shim_survives_the_signals_meant_for_the_tree_and_is_small(tmp_path: Path) -> None:
    spec: records.Record = {"argv": ["/bin/sleep", "30"], "env": {}, "cwd": "/"}
    records.write_record(str(tmp_path), "spec.json", spec)
    process = run_shim(tmp_path)
    started = eventually(lambda: records.read_record(str(tmp_path), "started.json"))
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1, signal.SIGUSR2}:
        process.send_signal(number)
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) * 1024
    tree = members(ProcessTable.scan(), process.pid, int(str(started["pid"])))
    os.kill(int(str(started["pid"])), signal.SIGKILL)
    assert process.wait(20) == 0
    assert tree == {started["pid"]}
    assert json.loads((tmp_path / "exit.json").read_text())["signal"] == signal.SIGKILL
    assert resident < 12e6


def start(directory: Path, *argv: str, **options: Any) -> "tuple[subprocess.Popen[bytes], int]":
    """A shim with its script under way: the shim, and the script's pid."""
    spec: records.Record = {"argv": list(argv), "env": {"PATH": os.environ["PATH"]}, "cwd": str(directory)}
    records.write_record(str(directory), "spec.json", spec)
    command = [sys.executable, "-I", "-S", shim.__file__, str(directory)]
    process = subprocess.Popen(command, env={}, **options)
    started = eventually(lambda: records.read_record(str(directory), "started.json"))
    return process, int(str(started["pid"]))


def end_of(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / "exit.json").read_text()))


def test_shim_and_script_hold_nothing_of_the_launcher(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    process, leader = start(tmp_path, "/bin/sleep", "30", pass_fds=(theirs,))
    os.close(theirs)
    eventually(lambda: b"sleep" in Path(f"/proc/{leader}/cmdline").read_bytes())
    os.set_blocking(ours, False)
    assert eventually(lambda: os.read(ours, 1) == b"")  # the last writer is gone
    os.close(ours)
    assert {path.name for path in Path(f"/proc/{leader}/fd").iterdir()} == {"0", "1", "2"}
    assert Path(f"/proc/{process.pid}/cwd").readlink() == Path("/")
    flags = int(Path(f"/proc/{leader}/fdinfo/1").read_text().split("flags:")[1].split()[0], 8)
    assert flags & os.O_APPEND
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    os.kill(leader, signal.SIGKILL)
    assert process.wait(20) == 0


def test_directory_and_arguments_may_have_any_name(tmp_path: Path) -> None:
    directory = tmp_path / os.fsdecode("übung \n".encode() + b"\xff")
    directory.mkdir()
    process, _ = start(directory, "/bin/echo", "wörld", "\udcff")
    assert process.wait(20) == 0
    assert (directory / "log").read_bytes() == "wörld ".encode() + b"\xff\n"


@pytest.mark.parametrize(
    ("text", "grace"),
    [
        ('{"grace_s": 3}', 3.0),
        ('{"grace_s": -1}', 0.0),
        ('{"grace_s": 1e999}', 864000.0),
        ('{"grace_s": NaN}', life.DEFAULT_GRACE_S),
        ('{"grace_s": "1"}', life.DEFAULT_GRACE_S),
        ('{"grace', life.DEFAULT_GRACE_S),
        ("[]", life.DEFAULT_GRACE_S),
        ("[" * 100_000, life.DEFAULT_GRACE_S),
        ("\ud800", life.DEFAULT_GRACE_S),
    ],
)
def test_grace_is_what_the_stop_says_and_the_default_where_it_cannot_be_read(
    tmp_path: Path, text: str, grace: float
) -> None:
    assert life.read_grace(str(tmp_path)) == life.DEFAULT_GRACE_S
    (tmp_path / "stop.json").write_bytes(text.encode(errors="surrogatepass"))
    assert life.read_grace(str(tmp_path)) == grace


def test_shim_lives_through_a_torn_stop_and_kills_at_once_when_told_so(tmp_path: Path) -> None:
    script = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
while True:
    time.sleep(9)
"""
    process, _ = start(tmp_path, sys.executable, "-S", "-c", script)
    eventually(lambda: (tmp_path / "log").read_text() == "ready\n")
    (tmp_path / "stop.json").write_text('{"grace')
    process.send_signal(signal.SIGUSR1)
    eventually(lambda: (tmp_path / "log").read_text() == "ready\nasked\n")
    process.send_signal(signal.SIGUSR2)
    assert process.wait(life.DEFAULT_GRACE_S - 2) == 0
    assert (end_of(tmp_path)["signal"], end_of(tmp_path)["stop_requested"]) == (signal.SIGKILL, True)


def test_orphans_that_end_while_the_script_runs_are_reaped(tmp_path: Path) -> None:
    script = """
import os, time
for _ in range(300):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
print("left", flush=True)
time.sleep(60)
"""
    process, leader = start(tmp_path, sys.executable, "-S", "-c", script)
    eventually(lambda: (tmp_path / "log").read_text() == "left\n")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    eventually(lambda: children.read_text().split() == [str(leader)])
    os.kill(leader, signal.SIGKILL)
    assert process.wait(20) == 0


IN_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size={size},nr_inodes={inodes} none "$1"
cd "$1"
cat > spec.json
{before}
"$2" -I -S "$3" "$1" || true
rm -f filled
mkdir -p "$4"
cp -a . "$4"
"""


def shim_on_a_small_disk(tmp_path: Path, argv: list[str], *, before: str = "", inodes: int = 100) -> Path:
    """What a shim left on a disk of 64 KiB that its script, or `before`, may fill."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here: a small disk cannot be mounted")
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    spec = json.dumps({"argv": argv, "env": {"PATH": os.environ["PATH"]}, "cwd": "/"})
    text = IN_A_SMALL_DISK.format(size="64k", inodes=inodes, before=before)
    command = ["unshare", "-rm", "sh", "-c", text, "sh", str(disk), sys.executable, shim.__file__, str(kept)]
    done = subprocess.run(command, input=spec, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return kept


FILL = "head -c 1000000 /dev/zero > {}/filled 2>/dev/null || true"


def test_exit_code_survives_a_disk_that_the_script_has_filled(tmp_path: Path) -> None:
    fill = FILL.format(tmp_path / "disk")
    kept = shim_on_a_small_disk(tmp_path, ["/bin/sh", "-c", f"{fill}; exit 7"])
    assert end_of(kept)["code"] == 7
    assert not list(kept.glob("exit.json.*"))


def test_nothing_is_launched_on_a_full_disk(tmp_path: Path) -> None:
    argv = ["/bin/sh", "-c", f"touch {tmp_path}/ran"]
    kept = shim_on_a_small_disk(tmp_path, argv, before=FILL.format(tmp_path / "disk"))
    assert not (tmp_path / "ran").exists()
    assert not (kept / "started.json").exists()


def test_script_whose_start_cannot_be_recorded_is_never_executed_and_that_is_recorded(tmp_path: Path) -> None:
    # The root, the spec, the lock, the reserved record and the log: no file is left for the start's record.
    kept = shim_on_a_small_disk(tmp_path, ["/bin/sh", "-c", f"touch {tmp_path}/ran"], inodes=5)
    assert not (tmp_path / "ran").exists()
    assert not (kept / "started.json").exists()
    end = end_of(kept)
    assert (end["code"], end["signal"]) == (None, None)
    assert "No space left" in end["error"]
