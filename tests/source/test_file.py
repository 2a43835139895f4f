"""A script on disk is replaced whole, or not at all, and only if it is the one that was read."""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.source.file import (
    MAX_SCRIPT_BYTES,
    Script,
    ScriptChanged,
    ScriptError,
    ScriptReadError,
    ScriptWriteError,
    read_script,
    replace_script,
)

OLD = b"BATCH_SIZE = 64\r\n"
NEW = b"BATCH_SIZE = 128\r\n"
OLD_DIGEST = hashlib.sha256(OLD).hexdigest()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_bytes(OLD)
    return path


def test_a_script_is_read_whole_with_its_digest(script: Path) -> None:
    assert read_script(script) == Script(script, OLD)
    assert read_script(script).digest == OLD_DIGEST


def test_a_link_is_read_through(script: Path) -> None:
    link = script.with_name("link.py")
    link.symlink_to(script.name)

    assert read_script(link).path == script


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "fifo", "device", "below a file", "circle", "zero byte", "long"]
)
def test_what_is_no_script_is_named_with_what_to_do(kind: str, script: Path) -> None:
    path = script.with_name("other")
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "below a file":
        path = script / "train.py"
    elif kind == "circle":
        path.symlink_to(path.name)
    elif kind == "zero byte":
        path = Path("a\0b")
    elif kind == "long":
        path = Path("x" * 5000)

    with pytest.raises(ScriptReadError) as caught:
        read_script(path)

    assert ";" in str(caught.value)
    assert str(path) in str(caught.value) or "/dev/null" in str(caught.value)


def test_a_script_that_may_not_be_read_is_named_with_what_to_do() -> None:
    # Readable by its mode and refused by the kernel, to root as to anyone.
    with pytest.raises(ScriptReadError, match=r"/proc/\w+/mem cannot be read"):
        read_script(Path("/proc/self/mem"))


def test_a_script_of_more_than_the_limit_is_refused(script: Path) -> None:
    with script.open("r+b") as file:
        file.truncate(MAX_SCRIPT_BYTES + 1)

    with pytest.raises(ScriptReadError, match="larger than"):
        read_script(script)


def test_a_script_of_the_limit_is_read(script: Path) -> None:
    with script.open("r+b") as file:
        file.truncate(MAX_SCRIPT_BYTES)

    assert len(read_script(script).data) == MAX_SCRIPT_BYTES


def test_the_new_text_takes_the_place_of_the_old(script: Path) -> None:
    replace_script(script, OLD_DIGEST, NEW)

    assert script.read_bytes() == NEW
    assert _names(script) == ["train.py"]


def test_a_replacement_that_was_made_already_is_a_success(script: Path) -> None:
    replace_script(script, OLD_DIGEST, NEW)
    inode = script.stat().st_ino

    replace_script(script, OLD_DIGEST, NEW)

    assert (script.read_bytes(), script.stat().st_ino) == (NEW, inode)


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o4711, 0o440])
def test_the_mode_stays(script: Path, mode: int) -> None:
    script.chmod(mode)

    replace_script(script, OLD_DIGEST, NEW)

    assert script.stat().st_mode & 0o7777 == mode


def test_the_owner_and_the_group_stay(script: Path) -> None:
    if os.geteuid() == 0:
        os.chown(script, 1234, 2345)
    before = script.stat()

    replace_script(script, OLD_DIGEST, NEW)

    after = script.stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_extended_attributes_stay(script: Path) -> None:
    os.setxattr(script, "user.note", b"mine")

    replace_script(script, OLD_DIGEST, NEW)

    assert os.getxattr(script, "user.note") == b"mine"


def test_a_link_stays_and_its_target_is_replaced(script: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "link.py"
    link.symlink_to(script)

    replace_script(link, OLD_DIGEST, NEW)

    assert link.readlink() == script
    assert script.read_bytes() == NEW
    assert list(elsewhere.iterdir()) == [link]


def test_another_hard_link_keeps_the_old_text(script: Path) -> None:
    other = script.with_name("other.py")
    other.hardlink_to(script)

    replace_script(script, OLD_DIGEST, NEW)

    assert (script.read_bytes(), other.read_bytes()) == (NEW, OLD)


def test_a_name_as_long_as_the_file_system_allows_is_replaced(tmp_path: Path) -> None:
    script = tmp_path / ("x" * 252 + ".py")
    script.write_bytes(OLD)

    replace_script(script, OLD_DIGEST, NEW)

    assert script.read_bytes() == NEW


def test_a_script_that_changed_is_left_alone(script: Path) -> None:
    script.write_bytes(b"theirs")

    with pytest.raises(ScriptChanged, match="left as it is"):
        replace_script(script, OLD_DIGEST, NEW)

    assert script.read_bytes() == b"theirs"
    assert _names(script) == ["train.py"]


def test_a_script_that_changes_while_the_new_one_is_written_is_left_alone(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def change_meanwhile(descriptor: int) -> None:
        script.write_bytes(b"theirs")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", change_meanwhile)

    with pytest.raises(ScriptChanged):
        replace_script(script, OLD_DIGEST, NEW)

    assert script.read_bytes() == b"theirs"
    assert _names(script) == ["train.py"]


@pytest.mark.parametrize("meanwhile", ["removed", "folder", "link"])
def test_a_script_that_is_gone_meanwhile_is_an_error_and_leaves_nothing(
    script: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    fsync = os.fsync

    def swap_meanwhile(descriptor: int) -> None:
        script.unlink()
        if meanwhile == "folder":
            script.mkdir()
        elif meanwhile == "link":
            script.symlink_to("nowhere")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", swap_meanwhile)

    with pytest.raises(ScriptError):
        replace_script(script, OLD_DIGEST, NEW)

    assert _names(script) == ([] if meanwhile == "removed" else ["train.py"])


def test_a_missing_script_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(ScriptReadError):
        replace_script(tmp_path / "train.py", OLD_DIGEST, NEW)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_is_named_with_what_to_do() -> None:
    # Nobody makes files in /proc, root neither.
    script = read_script(Path("/proc/version"))

    with pytest.raises(ScriptWriteError, match=r"/proc/version was not changed \(.+\); "):
        replace_script(script.path, script.digest, NEW)


_IN_A_CHILD = """
import resource, sys
from pathlib import Path
from supervisor.source.file import ScriptWriteError, read_script, replace_script
script = read_script(Path(sys.argv[1]))
{limit}
try:
    replace_script(script.path, script.digest, b"#" * 100_000)
except ScriptWriteError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("limit", "advice"),
    [
        # As a full disk does, it lets a part be written and then no more.
        ("resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))", "raise the file size limit"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))", "raise the limit of open files"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))", "raise the limit of open files"),
    ],
)
def test_a_write_that_fails_leaves_the_old_script_and_nothing_else(
    script: Path, limit: str, advice: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IN_A_CHILD.format(limit=limit), str(script)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert advice in done.stdout
    assert "was not changed" in done.stdout
    assert script.read_bytes() == OLD
    assert _names(script) == ["train.py"]


def test_a_lock_that_is_held_is_waited_for_no_longer_than_said(script: Path) -> None:
    folder = os.open(script.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(ScriptWriteError, match="held the lock"):
            replace_script(script, OLD_DIGEST, NEW, lock_timeout_s=0.05)
    finally:
        os.close(folder)

    assert script.read_bytes() == OLD
    replace_script(script, OLD_DIGEST, NEW, lock_timeout_s=0.05)
    assert script.read_bytes() == NEW


_RACER = """
import sys
from pathlib import Path
from supervisor.source.file import ScriptChanged, replace_script
sys.stdin.readline()
try:
    replace_script(Path(sys.argv[1]), sys.argv[2], sys.argv[3].encode() * 5000)
except ScriptChanged:
    print("changed")
else:
    print("won")
"""


def test_of_two_writers_one_wins_and_one_is_told(script: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(script), OLD_DIGEST, letter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "ab"
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    outcomes = [racer.communicate(timeout=60)[0].strip() for racer in racers]

    assert sorted(outcomes) == ["changed", "won"]
    assert script.read_bytes() == (b"a" if outcomes[0] == "won" else b"b") * 5000


_FLIPPER = """
import hashlib, sys
from pathlib import Path
from supervisor.source.file import replace_script
path, texts = Path(sys.argv[1]), [b"a" * 200_000, b"b" * 200_000]
digests = [hashlib.sha256(text).hexdigest() for text in texts]
for n in range(10**6):
    replace_script(path, digests[n % 2], texts[(n + 1) % 2])
    if n == 3:
        print("going", flush=True)
"""


@pytest.mark.parametrize("attempt", range(3))
def test_a_writer_that_is_killed_leaves_one_whole_script(script: Path, attempt: int) -> None:
    script.write_bytes(b"a" * 200_000)
    child = subprocess.Popen(
        [sys.executable, "-c", _FLIPPER, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "going\n"
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)

    assert script.read_bytes() in {b"a" * 200_000, b"b" * 200_000}
    assert all(name == "train.py" or name.startswith(".traind-") for name in _names(script))


def _names(script: Path) -> list[str]:
    return sorted(path.name for path in script.parent.iterdir())


def test_the_temporary_file_of_a_killed_writer_goes_with_the_next_edit(script: Path) -> None:
    left = script.parent / ".traind-0123456789abcdef.tmp"
    left.write_bytes(b"half")
    others = script.parent / ".traind-notes"
    others.touch()

    replace_script(script, OLD_DIGEST, NEW)

    assert not left.exists()
    assert others.exists()
