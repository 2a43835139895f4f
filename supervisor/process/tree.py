"""One look at the process table, shared by everyone who asks which processes belong to a run."""

from dataclasses import dataclass

from supervisor.process.procfs import Process, alive, children_of, read_process, scan_processes


@dataclass(frozen=True, slots=True)
class ProcessTable:
    """All processes at one moment, indexed for finding trees; `pids` holds those of them all."""

    pids: frozenset[int]
    children: dict[int, list[Process]]
    sessions: dict[int, list[Process]]

    @classmethod
    def scan(cls) -> "ProcessTable":
        sessions: dict[int, list[Process]] = {}
        found = alive(scan_processes())
        for process in found:
            sessions.setdefault(process.session, []).append(process)
        return cls(frozenset(process.pid for process in found), children_of(found), sessions)


def members(table: ProcessTable, shim_pid: int, leader_pid: int) -> frozenset[int]:
    """An attempt's pids: the leader's session, and all that descend from the shim or the leader."""
    found: set[int] = set()
    pending = [
        *table.sessions.get(leader_pid, ()),
        *table.children.get(shim_pid, ()),
        *table.children.get(leader_pid, ()),
    ]
    while pending:
        process = pending.pop()
        if process.pid not in found:
            found.add(process.pid)
            pending.extend(table.children.get(process.pid, ()))
    return frozenset(found - {shim_pid})


def running(pid: int) -> bool:
    """Whether this process still runs. A zombie does not, though nobody may ever reap it."""
    process = read_process(pid)
    return process is not None and process.runs
