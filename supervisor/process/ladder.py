"""Ending a tree that has lost its shim: SIGTERM, a grace, SIGKILL, looked at again until nothing is left.

What a dead shim's child left behind belongs to init, so descent does not lead to it. It is found by
the leader's session and group, and by the words in its environment that name run and attempt. A process
counts only with evidence: it is this user's, began no earlier than the leader, and is in a session that is
proven to be the attempt's, or carries the attempt's words, or descends from one that does. In doubt it lives.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.process.life import KILL_WAIT_S, SCRIPTS_SHARE
from supervisor.process.procfs import Identity, Process, alive, children_of, is_same, scan_processes, send

MARKS = ("TRAIND_RUN_ID", "TRAIND_ATTEMPT")
_ROUND_S = 0.05  # between two looks
_EMPTY_LOOKS = 2  # one look can miss a process that was forked behind it


@dataclass(frozen=True, slots=True)
class Orphaned:
    """Whose tree it was: the leader's identity, and the words that its environment had (none: unknown)."""

    leader: Identity
    marks: frozenset[bytes]

    @classmethod
    def of(cls, leader: Identity, env: Mapping[str, object]) -> "Orphaned":
        """With the words from the environment that the attempt was launched with."""
        words = {os.fsencode(f"{name}={env[name]}") for name in MARKS if name in env}
        return cls(leader, frozenset(words) if len(words) == len(MARKS) else frozenset())

    def find(self) -> list[Process]:
        """The processes of the attempt that run now. Looks at every process of this user: not for a loop."""
        pid, ticks = self.leader
        everybody = [process for process in scan_processes() if process.start_ticks >= ticks]
        spared = _self_and_ancestors()
        candidates = [
            process for process in alive(everybody) if process.pid not in spared and _is_own(process)
        ]
        proven = [
            process for process in candidates if process.identity == self.leader or self._marked(process)
        ]
        leads = any(process.identity == self.leader for process in everybody)
        if leads or any(process.session == pid for process in proven):
            proven += [process for process in candidates if pid in (process.session, process.group)]
        return _with_descendants(proven, candidates)

    def _marked(self, process: Process) -> bool:
        # To read the environment of one in an uninterruptible sleep can hang as it does.
        if not self.marks or process.state == b"D":
            return False
        try:
            words = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return self.marks.issubset(words)


class Ladder:
    """One climb. `kill_at` (the loop's time, seconds) may be taken down meanwhile."""

    def __init__(self, orphaned: Orphaned, kill_at: float) -> None:
        self.kill_at = kill_at
        self.seen: set[Identity] = set()
        self._orphaned = orphaned

    async def climb(self) -> list[Process]:
        """Returns once nothing is left, with no processes, or with those that SIGKILL did not end."""
        clock = asyncio.get_running_loop().time
        told: set[Identity] = set()
        empty, rest_at = 0, clock() + (self.kill_at - clock()) * SCRIPTS_SHARE
        while empty < _EMPTY_LOOKS:
            left = await asyncio.to_thread(self._orphaned.find)
            empty = 0 if left else empty + 1
            self.seen.update(process.identity for process in left)
            if clock() >= self.kill_at + KILL_WAIT_S and left:
                return left
            if clock() >= self.kill_at:
                _signal(left, signal.SIGKILL)
            else:
                # Once to each, and to the script alone at first: it may need its workers to save.
                everybody = clock() >= rest_at or not is_same(self._orphaned.leader)
                asked = [item for item in left if everybody or item.identity == self._orphaned.leader]
                fresh = [process for process in asked if process.identity not in told]
                _signal(fresh, signal.SIGTERM, signal.SIGCONT)
                told.update(process.identity for process in fresh)
            await asyncio.sleep(_ROUND_S)
        return []


def _signal(processes: list[Process], *numbers: int) -> None:
    for process in processes:
        for number in numbers:
            send(process, number)


def _with_descendants(found: list[Process], candidates: list[Process]) -> list[Process]:
    children = children_of(candidates)
    all_of_them: dict[int, Process] = {}
    pending = list(found)
    while pending:
        process = pending.pop()
        if process.pid not in all_of_them:
            all_of_them[process.pid] = process
            pending.extend(children.get(process.pid, ()))
    return list(all_of_them.values())


def _is_own(process: Process) -> bool:
    try:
        return Path(f"/proc/{process.pid}").stat().st_uid == os.geteuid()
    except OSError:
        return False


def _self_and_ancestors() -> set[int]:
    by_pid = {process.pid: process for process in scan_processes()}
    found, pid = {0, 1}, os.getpid()
    while pid not in found:
        found.add(pid)
        process = by_pid.get(pid)
        pid = process.ppid if process is not None else 0
    return found
