"""The shim's parts by themselves, and the shim run by hand."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.process import procfs, records, shim
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
    assert run_shim(tmp_path).wait() == shim.LOCK_TAKEN
    records.write_record(str(tmp_path), "spec.json", {"argv": ["/bin/true"], "env": {}, "cwd": "/"})
    records.write_record(str(tmp_path), "started.json", {})
    assert run_shim(tmp_path).wait() == shim.LOCK_TAKEN
    assert not (tmp_path / "exit.json").exists()


def test_shim_survives_the_signals_meant_for_the_tree_and_is_small(tmp_path: Path) -> None:
    spec: records.Record = {"argv": ["/bin/sleep", "30"], "env": {}, "cwd": "/"}
    records.write_record(str(tmp_path), "spec.json", spec)
    process = run_shim(tmp_path)
    started = eventually(lambda: records.read_record(str(tmp_path), "started.json"))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        process.send_signal(number)
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) * 1024
    tree = members(ProcessTable.scan(), process.pid, int(str(started["pid"])))
    os.kill(int(str(started["pid"])), signal.SIGKILL)
    assert process.wait(20) == 0
    assert tree == {started["pid"]}
    assert json.loads((tmp_path / "exit.json").read_text())["signal"] == signal.SIGKILL
    assert resident < 16 * 2**20
