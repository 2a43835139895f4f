"""What must hold after the faults, checked on the runs, their files and the machine's processes."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil

from tests.daemon import Daemon
from tests.faults.herd import Follower, Member
from tests.faults.kinds import script_of, written

_PAGE = 1024 * 1024
_SIZES = (32, 64, 128)


@dataclass
class Findings:
    """Sentences of what does not hold, by the promise that it breaks."""

    runs_lost: list[str] = field(default_factory=list)
    attempts_launched_twice: list[str] = field(default_factory=list)
    training_killed_with_the_daemon: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    scripts_damaged: list[str] = field(default_factory=list)
    log_bytes_missing: list[str] = field(default_factory=list)
    logs_out_of_bounds: list[str] = field(default_factory=list)
    memory_lines_lost_or_doubled: list[str] = field(default_factory=list)
    exit_codes_wrong: list[str] = field(default_factory=list)
    ends_wrong: list[str] = field(default_factory=list)
    conductors_failed: list[str] = field(default_factory=list)
    log_bytes_compared: int = 0
    memory_lines_compared: int = 0

    def promises(self) -> list[tuple[str, list[str]]]:
        return [
            (item.name.replace("_", " "), getattr(self, item.name))
            for item in fields(self)
            if isinstance(getattr(self, item.name), list)
        ]

    @property
    def broken(self) -> list[str]:
        return list(itertools.chain.from_iterable(found for _, found in self.promises()))


def after_a_kill(findings: Findings, state_dir: Path, members: Sequence[Member]) -> None:
    """The daemon is dead: training is not, and every script is one of its own whole versions."""
    for member in members:
        if member.script.read_text() not in [script_of(member.kind, member.word, size) for size in _SIZES]:
            findings.scripts_damaged.append(f"{member.script} is none of its versions")
        if member.id is None:
            continue
        for directory in (state_dir / "runs" / member.id).glob("*-*"):
            if not _ended(directory) and not _shim_lives(directory):
                findings.training_killed_with_the_daemon.append(f"{directory} has no shim and no exit record")


def _ended(directory: Path) -> bool:
    return (directory / "exit.json").exists() or not (directory / "started.json").exists()


def _shim_lives(directory: Path) -> bool:
    started = json.loads((directory / "started.json").read_text())
    # It may have ended between the two looks.
    return psutil.pid_exists(started["shim_pid"]) or _ended(directory)


def after_a_start(findings: Findings, daemon: Daemon, members: Sequence[Member]) -> None:
    """The daemon is ready again: it knows every run that it ever answered for."""
    known = {run["id"] for run in _pages(daemon, "/v1/runs?limit=200")}
    for member in members:
        if member.id is not None and member.id not in known:
            findings.runs_lost.append(f"{member.word} ({member.kind.name}) is not known any more")


def at_the_end(
    findings: Findings, daemon: Daemon, members: Sequence[Member], followers: Sequence[Follower]
) -> None:
    """Every run has ended."""
    for member in members:
        _check_end(findings, member)
        _check_launches(findings, member)
        _check_log(findings, daemon, member)
        _check_memory_lines(findings, daemon, member)
    for follower in followers:
        _check_followed(findings, daemon, follower)
    submitted = [run["name"] for run in _pages(daemon, "/v1/runs?limit=200")]
    for name in {name for name in submitted if submitted.count(name) > 1}:
        findings.attempts_launched_twice.append(f"{name} became {submitted.count(name)} runs")
    findings.conductors_failed += sorted(_failures(daemon.log))
    findings.orphans += orphans(daemon.state_dir, [member.id or "" for member in members])


def orphans(state_dir: Path, ids: Sequence[str]) -> list[str]:
    """Processes of these runs that live: by their environment, or as a shim by its command line."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("TRAIND_RUN_ID") in ids or (
                "shim.py" in " ".join(process.cmdline()) and str(state_dir) in " ".join(process.cmdline())
            )
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"process {process.pid}: {' '.join(process.cmdline())}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _failures(log: Path) -> set[str]:
    """What went wrong inside the daemons, each once."""
    found = set()
    for text in log.read_text().splitlines():
        said = json.loads(text) if text.startswith("{") else {"event": text}
        if "exception" in said or "Error" in said["event"]:
            cause = said.get("exception", "").splitlines() or [said["event"]]
            found.add(f"{said.get('run')}: {' | '.join(part.strip() for part in cause[-5:])}")
    return found


def _check_end(findings: Findings, member: Member) -> None:
    run, kind = member.ended or {}, member.kind
    if run.get("state") == "lost":
        findings.runs_lost.append(f"{member.word} ({kind.name}) ended lost: {run}")
    elif (run.get("state"), run.get("reason")) != (kind.state, kind.reason):
        findings.ends_wrong.append(f"{member.word} ({kind.name}) ended {run}")
    if run.get("exit_code") != kind.exit_code:
        findings.exit_codes_wrong.append(
            f"{member.word} ({kind.name}): {run.get('exit_code')}, not {kind.exit_code}"
        )


def _check_launches(findings: Findings, member: Member) -> None:
    path = member.folder / "launches"
    launches = path.read_text().splitlines() if path.exists() else []
    if launches != list(member.kind.launches):
        findings.attempts_launched_twice.append(
            f"{member.word} ({member.kind.name}) was launched as {launches}"
        )
    if member.script.read_text() != script_of(member.kind, member.word, member.kind.size):
        findings.scripts_damaged.append(f"{member.script} is not the one with {member.kind.size}")
    left = [path.name for path in member.folder.glob(".*traind*")]
    if left:
        findings.scripts_damaged.append(f"{member.folder} still has {left}")


def _check_log(findings: Findings, daemon: Daemon, member: Member) -> None:
    """All that was written, but for what was trimmed to keep the log's bound."""
    if not member.kind.talks:
        return
    training = [name for name in member.kind.launches if name.startswith("training")]
    for number in range(1, len(training) + 1):
        start, data = _raw_log(daemon, member, number)
        findings.log_bytes_compared += len(data)
        end = start + len(data)
        if not data or data != written(member.kind, member.word, end)[start:]:
            findings.log_bytes_missing.append(f"{member.word} ({member.kind.name}), attempt {number}")
        if bool(start) != bool(member.kind.chunks):
            findings.logs_out_of_bounds.append(
                f"{member.word} ({member.kind.name}) is trimmed by {start} bytes"
            )


def _check_followed(findings: Findings, daemon: Daemon, follower: Follower) -> None:
    member = follower.member
    if not follower.finished:
        findings.log_bytes_missing.append(f"the stream of {member.word} did not come to its end")
    elif follower.text.encode() != _raw_log(daemon, member, 1)[1]:
        findings.log_bytes_missing.append(f"the stream of {member.word} is not its log")


def _check_memory_lines(findings: Findings, daemon: Daemon, member: Member) -> None:
    """Each figure is higher than the one before it, so each must have become one event."""
    if not member.kind.talks:
        return
    events = _pages(daemon, f"/v1/runs/{member.id}/events?limit=500")
    number = 1
    while f"training-{number} {64 if number == 1 else member.kind.size}" in member.kind.launches:
        start, data = _raw_log(daemon, member, number)
        lines = written(member.kind, member.word, start + len(data)).count(b"\n") - 64 * member.kind.chunks
        expected = [round(value / 1000 * 2**30) for value in range(10, lines + 1, 10)]
        told = [
            event["data"]["used"]
            for event in events
            if event["type"] == "memory_reported" and event["attempt"] == number
        ]
        findings.memory_lines_compared += len(expected)
        if told != expected:
            findings.memory_lines_lost_or_doubled.append(
                f"{member.word} ({member.kind.name}), attempt {number}: {told} and not {expected}"
            )
        number += 1


def _raw_log(daemon: Daemon, member: Member, attempt: int) -> tuple[int, bytes]:
    """What there is of a log, and the offset at which it begins. Nothing where there is no such log."""
    start, data = None, b""
    while True:
        query: dict[str, Any] = {"raw": "true", "attempt": attempt, "limit": _PAGE}
        query["offset"] = (start or 0) + len(data)
        answer = daemon.http.get(f"/v1/runs/{member.id}/log", params=query)
        if answer.status_code != 200 or not answer.content:
            return start or 0, data  # what is missing fails where it is compared
        start = int(answer.headers["Traind-Log-Offset"]) if start is None else start
        data += answer.content


def _pages(daemon: Daemon, url: str) -> list[Any]:
    found, cursor = [], ""
    while True:
        page = daemon.http.get(url + (f"&cursor={cursor}" if cursor else "")).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return found
