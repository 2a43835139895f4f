"""The unit holds what lets training outlive the daemon, and nothing that training would break on."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "traind.service"
LINES = UNIT.read_text().splitlines()
DIRECTIVES = [tuple(line.split("=", 1)) for line in LINES if re.match(r"[A-Z]\w*=", line)]

HELD = {
    "Type": "notify",
    "NotifyAccess": "main",
    "KillMode": "process",
    "Restart": "always",
    "StartLimitIntervalSec": "0",
    "WatchdogSec": "30",
    "OOMPolicy": "continue",
    "ManagedOOMPreference": "avoid",
    "PrivateTmp": "no",
    "RemoveIPC": "no",
    "TasksMax": "infinity",
    "LimitNOFILE": "1024:524288",
    "User": "traind",
    "Group": "traind",
    "SupplementaryGroups": "video render",
    "StateDirectory": "traind",
    "StateDirectoryMode": "0700",
    "LoadCredential": "token:/etc/traind/token",
    "SetCredential": r"token:\n",
    "ExecStart": "/opt/traind/bin/traind serve",
    "WantedBy": "multi-user.target",
}

# Each of them reaches training. docs/decisions/0016-what-training-inherits.md has what it would do there.
FORBIDDEN = re.compile(
    r"Device\w*|PrivateDevices|ProtectClock|Root\w*|"
    r"NoNewPrivileges|SystemCall\w*|Restrict\w+|LockPersonality|MemoryDenyWriteExecute|ProtectHostname|"
    r"ProtectKernel\w*|ProtectControlGroups|CapabilityBoundingSet|AmbientCapabilities|SecureBits|DynamicUser|"
    r"ProtectSystem|ProtectHome|ProtectProc|ProcSubset|PrivateMounts|PrivateUsers|PrivateNetwork|PrivateIPC|"
    r"MountFlags|MountAPIVFS|ReadOnlyPaths|ReadWritePaths|InaccessiblePaths|ExecPaths|NoExecPaths|Bind\w+|"
    r"TemporaryFileSystem|Memory\w+|CPU\w*|IO\w*|IPAddress\w+|SocketBind\w+|AllowedCPUs|AllowedMemoryNodes|"
    r"OOMScoreAdjust|Nice|UMask|Delegate\w*|RuntimeDirectory\w*|RuntimeMaxSec|Slice|SendSIGKILL|FinalKillSignal|"
    r"Limit(?!NOFILE)\w+|ExecStop\w*|EnvironmentFile|PassEnvironment"
)


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing: it is in Debian's package `systemd`")
    return found


def test_what_training_lives_on_stands_in_the_unit_once() -> None:
    names = [name for name, _ in DIRECTIVES]
    assert {name: value for name, value in DIRECTIVES if name in HELD} == HELD
    assert [name for name in HELD if names.count(name) != 1] == []


def test_what_training_would_break_on_does_not() -> None:
    assert [name for name, _ in DIRECTIVES if FORBIDDEN.fullmatch(name)] == []


@pytest.mark.parametrize(
    "name", ["DeviceAllow", "PrivateDevices", "ProtectClock", "NoNewPrivileges", "MemoryMax"]
)
def test_the_list_of_what_breaks_it_knows(name: str) -> None:
    assert FORBIDDEN.fullmatch(name)


def test_every_directive_has_its_reason_above_it() -> None:
    obvious = {"Description", "Documentation", "WantedBy"}
    reasons = [
        (line, above)
        for above, line in pairwise(LINES)
        if re.match(r"[A-Z]\w*=", line) and line.split("=")[0] not in obvious
    ]
    assert [line for line, above in reasons if not re.match(r"# \w.{15,}[.:]$", above)] == []


def test_no_environment_variable_carries_a_secret() -> None:
    variables = [value for name, value in DIRECTIVES if name == "Environment"]
    assert variables == ["TRAIND_CONFIG=/etc/traind/config.toml"]


def test_systemd_finds_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    # In a copy the command is one that is here, for the documented one may not be.
    unit = tmp_path / "traind.service"
    unit.write_text(UNIT.read_text().replace("ExecStart=/opt/traind/bin/traind", "ExecStart=/bin/true"))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_its_exposure_is_the_one_on_record() -> None:
    analyze = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(analyze, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze has no --offline: it came with 250")
    found = re.search(r"Overall exposure level for traind.service: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= 9.5


def test_user_and_groups_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    given = [f"--root={tmp_path}", str(SYSTEMD / "sysusers.d" / "traind.conf")]
    done = subprocess.run([tool("systemd-sysusers"), *given], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ":/var/lib/traind:/usr/sbin/nologin" in (tmp_path / "etc/passwd").read_text()
    groups = (tmp_path / "etc/group").read_text().splitlines()
    assert {line.split(":")[0] for line in groups if line.endswith(":traind")} == {"video", "render"}


def test_directories_are_made_with_their_modes_and_a_token_is_closed(tmp_path: Path) -> None:
    sysusers, tmpfiles = tool("systemd-sysusers"), tool("systemd-tmpfiles")
    token = tmp_path / "etc/traind/token"
    token.parent.mkdir(parents=True)
    token.write_text("secret")
    token.chmod(0o644)
    subprocess.run(
        [sysusers, f"--root={tmp_path}", str(SYSTEMD / "sysusers.d" / "traind.conf")],
        capture_output=True,
        check=True,
    )
    given = [f"--root={tmp_path}", "--create", str(SYSTEMD / "tmpfiles.d" / "traind.conf")]
    done = subprocess.run([tmpfiles, *given], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("giving a file to another user needs root")
    assert (done.returncode, done.stderr) == (0, "")
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in ("etc/traind", "var/lib/traind")}
    assert modes == {"etc/traind": 0o750, "var/lib/traind": 0o700}
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.read_text() == "secret"
