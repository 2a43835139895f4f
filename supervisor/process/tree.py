"""One look at the process table, shared by everyone who asks which processes belong to a run."""

from dataclasses import dataclass

from supervisor.process.shim import Process, alive, scan_processes


@dataclass(frozen=True, slots=True)
class ProcessTable:
    """All processes at one moment, indexed for finding trees."""

    children: dict[int, list[Process]]
    sessions: dict[int, list[Process]]

    @classmethod
    def scan(cls) -> "ProcessTable":
        children: dict[int, list[Process]] = {}
        sessions: dict[int, list[Process]] = {}
        for process in alive(scan_processes()):
            children.setdefault(process.ppid, []).append(process)
            sessions.setdefault(process.session, []).append(process)
        return cls(children, sessions)


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
