"""What a shim does between its lock and its end: launch, wait, sweep, record. `shim.py` tells the protocol.

Signals go to the tree only while its leader is alive or an unreaped zombie, so that neither its pid nor its
group can be another's; and to single processes through a pidfd whose start ticks were compared.
Once the script runs nothing but SIGKILL ends the shim before its work is done: what fails is tried again.
"""

import os
import select
import signal
import sys
import time

from supervisor.process.child import become_script, become_subreaper, lower_oom_score
from supervisor.process.procfs import (
    Identity,
    Process,
    alive,
    boot_id,
    boottime,
    own_children,
    read_process,
    scan_processes,
    send,
    tree_of,
)
from supervisor.process.records import (
    Record,
    read_record,
    reserve_record,
    sync_log,
    write_record,
    write_reserved,
)

TYPE_CHECKING = False  # typing itself costs the shim a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable

LOCK_TAKEN = 75  # EX_TEMPFAIL: the directory is another shim's, or has had its launch

DEFAULT_GRACE_S = 10.0  # where a stop does not say, or nobody can read what it says
LEFTOVER_GRACE_S = 2.0  # for what outlives a leader that ended by itself
KILL_WAIT_S = 5.0  # then what is left is in an uninterruptible sleep
SCRIPTS_SHARE = 0.5  # of a stop's grace, in which the script alone has had SIGTERM
_LONGEST_GRACE_S = 10 * 86400.0
_KILL_ROUND_S = 0.02  # between two looks at what SIGKILL has left
_SLOWEST_ROUND_S = 1.0  # the same for a leader that cannot be killed
_EXEC_LOOK_S = 0.05  # between two looks whether exec, on a disk that hangs, is done
_MISHAP_PAUSE_S = 0.1
_RECORD_RETRY_S = 1.0
_RECORD_TRIES = 600
_UNKILLABLE_NAMED = 200  # what the reserved record has room for


class Shim:
    """The life of one attempt, after its lock was taken."""

    def __init__(self, directory: str, notify: int | None) -> None:
        self.directory = directory
        self.log_path = os.path.join(directory, "log")
        self.leader = 0
        self._notify = notify
        self._signals = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2}
        self._stop_requested = False
        self._kill_at: float | None = None
        self._rest_at: float | None = None
        self._round_s = _KILL_ROUND_S
        self._told: set[Identity] = set()  # who got SIGTERM: a second one could break off what they save
        self._swept: set[Identity] = set()
        self._unkillable: list[Process] | None = None

    def run(self) -> int:
        spec = read_record(self.directory, "spec.json")
        if spec is None or _has(self.directory, "started.json") or _has(self.directory, "exit.json"):
            return LOCK_TAKEN
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
        reserved, status, unkillable = None, None, list[Process]()
        try:
            reserved = reserve_record(self.directory, "exit.json")
            error = self._launch(spec)
        except Exception as problem:  # noqa: BLE001 - nothing runs, whatever it was
            error = f"{self.directory}: the launch failed: {problem}; free space there, or see shim.log"
        if error is None:
            self._tell("S")
        if self.leader:
            status = self._await_leader()
            unkillable = self._sweep()
        self._finish(reserved, status, unkillable, error)
        self._tell(f"E{error}")
        return 0

    def _launch(self, spec: Record) -> str | None:
        """Start the script; the sentence of a failed exec, or None. Raises where nothing was executed."""
        become_subreaper()
        oom_score = lower_oom_score()
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        broken, report = os.pipe()
        gate, opener = os.pipe()
        self.leader = os.fork()
        if self.leader == 0:
            os.close(opener)
            become_script(spec, log, report, gate, oom_score)
        for descriptor in (log, report, gate):
            os.close(descriptor)
        try:
            self._record_start()
            _open_gate(opener)
        finally:
            os.close(opener)  # a gate that was not opened sends the child away
        return self._await_exec(broken)

    def _record_start(self) -> None:
        leader, own = read_process(self.leader), read_process(os.getpid())
        record: Record = {
            "pid": self.leader,
            "start_ticks": leader.start_ticks if leader else 0,
            "shim_pid": os.getpid(),
            "shim_start_ticks": own.start_ticks if own else 0,
            "boot_id": boot_id(),
            "boottime": boottime(),
            "wall": time.time(),
        }
        write_record(self.directory, "started.json", record)

    def _await_exec(self, broken: int) -> str | None:
        """The pipe ends when exec has closed the child's end, or brings the reason why it failed."""
        try:
            while not select.select([broken], [], [], _EXEC_LOOK_S)[0]:
                self._carefully(self._wait, 0.0)
                self._carefully(self._act_when_due)
            return os.read(broken, select.PIPE_BUF).decode(errors="replace") or None
        except OSError as problem:
            _say(f"whether exec succeeded is not known: {problem}")
            return None
        finally:
            os.close(broken)

    def _await_leader(self) -> "os.waitid_result":
        """Wait for the leader without reaping it: so long its pid and group belong to nobody else."""
        while True:
            ended = self._leader_ended()
            if ended is not None:
                return ended
            self._carefully(self._reap_orphans)
            self._carefully(self._wait, self._until_due())
            self._carefully(self._act_when_due)

    def _leader_ended(self) -> "os.waitid_result | None":
        return os.waitid(os.P_PID, self.leader, os.WEXITED | os.WNOWAIT | os.WNOHANG)

    def _until_due(self) -> float | None:
        times = [at for at in (self._rest_at, self._kill_at) if at is not None]
        return min(times) - boottime() if times else None

    def _act_when_due(self) -> None:
        now = boottime()
        if self._rest_at is not None and now >= self._rest_at:
            self._rest_at = None
            self._terminate(alive(self._tree()))
        if self._kill_at is None or now < self._kill_at:
            return
        self._kill(alive(self._tree()))
        # Again soon, for children that were forked while we looked; and seldom, where it does not help.
        self._kill_at = boottime() + self._round_s
        self._round_s = min(_SLOWEST_ROUND_S, self._round_s * 2)

    def _sweep(self) -> list[Process]:
        """End what outlives the leader; the processes that even SIGKILL cannot end."""
        if self._kill_at is None:
            self._kill_at = boottime() + LEFTOVER_GRACE_S
        while self._unkillable is None:
            self._carefully(self._sweep_once)
        return self._unkillable

    def _sweep_once(self) -> None:
        """One look, and what it asks for; once nothing is left to be done the unkillable are known."""
        children = own_children()
        if children == [self.leader]:
            # Whatever descended from the leader would be a child of ours, or of one.
            self._unkillable = []
            return
        for pid in children or ():
            if pid != self.leader:
                os.waitpid(pid, os.WNOHANG)
        left = [process for process in alive(self._tree()) if process.pid != self.leader]
        if not left and children is None:
            self._unkillable = []
            return
        self._swept.update(process.identity for process in left)
        kill_at = self._kill_at or 0.0
        if boottime() >= kill_at + KILL_WAIT_S:
            self._unkillable = left
            return
        if boottime() >= kill_at:
            self._kill(left)
        else:
            self._terminate(left)
        self._wait(_KILL_ROUND_S)

    def _finish(
        self,
        reserved: str | None,
        status: "os.waitid_result | None",
        unkillable: list[Process],
        error: str | None,
    ) -> None:
        exited = status is None or status.si_code == os.CLD_EXITED
        record: Record = {
            "code": status.si_status if status is not None and exited and error is None else None,
            "signal": None if status is None or exited else status.si_status,
            "core": status is not None and status.si_code == os.CLD_DUMPED,
            "log_size": sync_log(self.log_path),
            "leftovers_killed": len(self._swept),
            "unkillable": [process.identity for process in unkillable[:_UNKILLABLE_NAMED]],
            "stop_requested": self._stop_requested,
            "error": error,
            "boot_id": boot_id(),
            "wall": time.time(),
            "boottime": boottime(),
        }
        if status is not None:
            _, _, usage = os.wait4(self.leader, 0)
            record.update(user_s=usage.ru_utime, system_s=usage.ru_stime, max_rss=usage.ru_maxrss * 1024)
        # A launch that failed is told in any case; the end of one that ran is kept trying to be recorded.
        for attempt in range(_RECORD_TRIES if error is None else 1):
            try:
                if reserved is None:
                    write_record(self.directory, "exit.json", record)
                else:
                    write_reserved(self.directory, reserved, "exit.json", record)
            except OSError as problem:
                _say(f"exit.json, try {attempt + 1}: {problem}")
                if error is None:
                    time.sleep(_RECORD_RETRY_S)
            else:
                return

    def _wait(self, timeout: float | None) -> None:
        """Until a signal comes, or for so many seconds."""
        if timeout is None:
            number = signal.sigwaitinfo(self._signals).si_signo
        else:
            info = signal.sigtimedwait(self._signals, max(0.0, timeout))
            number = info.si_signo if info is not None else 0
        if number == signal.SIGUSR1:
            self._take_stop(read_grace(self.directory))
        elif number == signal.SIGUSR2:
            self._take_stop(0.0)

    def _take_stop(self, grace_s: float) -> None:
        """The script first: one that saves at SIGTERM may need its workers for the step that it is in."""
        kill_at = boottime() + grace_s
        if self._leader_ended() is None:
            self._stop_requested = True
            script = read_process(self.leader)
            self._terminate([script] if script is not None else [])
            self._rest_at = boottime() + grace_s * SCRIPTS_SHARE
        self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)

    def _terminate(self, processes: list[Process]) -> None:
        """SIGTERM once to each, and SIGCONT so that a stopped one gets it."""
        fresh = [process for process in processes if process.identity not in self._told]
        for process in fresh:
            send(process, signal.SIGTERM)
            send(process, signal.SIGCONT)
        self._told.update(process.identity for process in fresh)

    def _kill(self, processes: list[Process]) -> None:
        try:
            os.killpg(self.leader, signal.SIGKILL)  # at once and whole: nobody of it can fork meanwhile
        except OSError:
            pass  # the group is empty, or all of it another user's
        for process in processes:
            send(process, signal.SIGKILL)

    def _tree(self) -> list[Process]:
        return tree_of(scan_processes(), os.getpid(), self.leader)

    def _reap_orphans(self) -> None:
        """Reap what ended of the children that came by adoption; the leader stays as it is."""
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if ended is None or ended.si_pid == self.leader:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)

    def _carefully(self, step: "Callable[..., None]", *arguments: object) -> None:
        try:
            step(*arguments)
        except Exception as problem:  # noqa: BLE001 - the shim must live: it alone can see how the script ends
            _say(f"{step.__name__}: {type(problem).__name__}: {problem}")
            time.sleep(_MISHAP_PAUSE_S)

    def _tell(self, text: str) -> None:
        if self._notify is None:
            return
        try:
            os.write(self._notify, text.encode(errors="replace")[: select.PIPE_BUF])
        except OSError:
            pass  # the daemon is gone; it will find the records
        os.close(self._notify)
        self._notify = None


def read_grace(directory: str) -> float:
    """Seconds between SIGTERM and SIGKILL that a stop asks for; the default where it cannot be read."""
    try:
        asked = (read_record(directory, "stop.json") or {}).get("grace_s")
    except (OSError, ValueError, RecursionError) as problem:
        _say(f"stop.json: {problem}; the grace is {DEFAULT_GRACE_S:g} s")
        return DEFAULT_GRACE_S
    if not isinstance(asked, int | float) or asked != asked:  # noqa: PLR0124 - NaN
        return DEFAULT_GRACE_S
    return float(max(0.0, min(asked, _LONGEST_GRACE_S)))


def _open_gate(opener: int) -> None:
    try:
        os.write(opener, b"g")
    except BrokenPipeError:
        pass  # the child has ended before; why, it reports


def _has(directory: str, name: str) -> bool:
    return os.path.lexists(os.path.join(directory, name))


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - its log
    except OSError:
        pass  # a full disk
