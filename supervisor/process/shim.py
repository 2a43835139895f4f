"""The parent of one attempt: launches the script, waits for it, sweeps up after it, writes down its end.

It runs as `python -I -S shim.py DIRECTORY [NOTIFY_FD]`, on the standard library alone, so that it is
small, starts fast and outlives the daemon. The daemon imports it too, for what both must do alike:
reading `/proc` and writing records. Everything it knows goes into files of the attempt's directory:

    spec.json     read: argv, env, cwd, written by the daemon
    lock          held by flock as long as the shim lives: one launch at most, and liveness without pids
    started.json  pids, start ticks, boot id
    stop.json     read at SIGUSR1: `grace_s`
    exit.json     code or signal, resource use, final log size, leftovers killed

To the file NOTIFY_FD it writes one byte: S once the script runs, E once it is known that it cannot.
Signals go to the tree only while its leader is alive or an unreaped zombie, and through a pidfd whose
start ticks were compared, so none can reach a stranger.
"""

import errno
import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress

LOCK_TAKEN = 75  # EX_TEMPFAIL: another shim has this directory
EXEC_FAILED = 127

_PR_SET_CHILD_SUBREAPER = 36
_OOM_SCORE = "-500"  # the shim is small and its death costs the exit code
_LEFTOVER_GRACE_S = 2.0  # for what outlives the leader by itself
_KILL_ROUND_S = 0.02  # between two looks at what SIGKILL has left
_KILL_WAIT_S = 5.0  # then what is left is in an uninterruptible sleep
_RECORD_RETRY_S = 1.0
_RECORD_TRIES = 600  # a full disk may be freed within ten minutes

Record = dict[str, object]


class Process:
    """One row of the process table; `start_ticks` counts clock ticks since boot."""

    __slots__ = ("group", "pid", "ppid", "session", "start_ticks", "state")

    def __init__(self, pid: int, stat: bytes) -> None:
        # The command's name may hold anything, parentheses too: the fields begin behind the last one.
        fields = stat[stat.rindex(b")") + 2 :].split(None, 20)
        self.pid = pid
        self.state = fields[0]
        self.ppid = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.start_ticks = int(fields[19])


def read_process(pid: int) -> Process | None:
    """The process as it is now, or None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return Process(pid, file.read(4096))
    except (OSError, ValueError, IndexError):
        return None


def scan_processes() -> list[Process]:
    """All processes that can be seen."""
    found = (read_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def tree_of(processes: list[Process], root: int, leader: int) -> list[Process]:
    """Descendants of `root`, and whoever is in the leader's session or group; not `root` itself.

    With a subreaper as root this holds daemonised grandchildren too: they become its children.
    """
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.ppid, []).append(process)
    found = {p.pid: p for p in processes if leader in (p.session, p.group, p.pid)}
    pending = list(children.get(root, ()))
    while pending:
        process = pending.pop()
        found[process.pid] = process
        pending.extend(children.get(process.pid, ()))
    found.pop(root, None)
    return list(found.values())


def alive(processes: list[Process]) -> list[Process]:
    """Those that still run: neither zombie nor dead."""
    return [process for process in processes if process.state not in (b"Z", b"X")]


def send(process: Process, number: int) -> bool:
    """Signal exactly this process: the pidfd first, then the comparison. False where it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        now = read_process(process.pid)
        if now is None or now.start_ticks != process.start_ticks:
            return False
        signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def write_record(directory: str, name: str, record: Record) -> None:
    """A file that is there whole or not at all, also after a crash; mode 0600. Raises `OSError`."""
    path = os.path.join(directory, name)
    beside = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(record).encode())
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, path)
    except OSError:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
    sync_directory(directory)


def sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_record(directory: str, name: str) -> Record | None:
    """A record, or None where there is none. Raises `ValueError` for one that is not ours."""
    try:
        with open(os.path.join(directory, name), "rb") as file:
            record = json.loads(file.read())
    except FileNotFoundError:
        return None
    if not isinstance(record, dict):
        raise ValueError(f"{directory}/{name} does not hold a record")  # noqa: TRY004 - of the file, not the call
    return record


def take_lock(directory: str) -> int | None:
    """The lock's descriptor, to be kept open for life; None where another shim holds it."""
    descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return descriptor


class Shim:
    """The life of one attempt, after its lock was taken."""

    def __init__(self, directory: str, notify: int | None) -> None:
        self.directory = directory
        self.log_path = os.path.join(directory, "log")
        self.leader = 0
        self._notify = notify
        self._signals = {signal.SIGCHLD, signal.SIGUSR1}
        self._stop_requested = False
        self._kill_at: float | None = None
        self._swept: set[int] = set()

    def run(self) -> int:
        spec = read_record(self.directory, "spec.json")
        if spec is None or read_record(self.directory, "started.json") is not None:
            return LOCK_TAKEN
        become_subreaper()
        old_score = lower_oom_score()
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
        error = self._launch(spec, old_score)
        self._tell(b"S" if error is None else None)
        status = self._await_leader()
        unkillable = self._sweep()
        self._finish(status, unkillable, error)
        self._tell(b"E" if error is not None else None)
        return 0

    def _launch(self, spec: Record, oom_score: str | None) -> str | None:
        """Start the script; the sentence of a failed exec, or None."""
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        broken, report = os.pipe()
        self.leader = os.fork()
        if self.leader == 0:
            become_script(spec, log, report, oom_score)
        os.close(log)
        os.close(report)
        leader = read_process(self.leader)
        own = read_process(os.getpid())
        write_record(
            self.directory,
            "started.json",
            {
                "pid": self.leader,
                "start_ticks": leader.start_ticks if leader else 0,
                "shim_pid": os.getpid(),
                "shim_start_ticks": own.start_ticks if own else 0,
                "boot_id": boot_id(),
                "boottime": boottime(),
                "wall": time.time(),
            },
        )
        # Ends when exec has closed the child's end, or brings the reason why it failed.
        with os.fdopen(broken, "rb") as file:
            return file.read().decode(errors="replace") or None

    def _await_leader(self) -> "os.waitid_result":
        """Wait for the leader without reaping it: so long its pid and group belong to nobody else."""
        while True:
            ended = os.waitid(os.P_PID, self.leader, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if ended is not None:
                return ended
            self._reap_orphans()
            self._wait_signal(None if self._kill_at is None else max(0.0, self._kill_at - boottime()))
            if self._kill_at is not None and boottime() >= self._kill_at:
                self._signal_tree(signal.SIGKILL)
                # Once more soon: for children that were forked while we looked.
                self._kill_at = boottime() + _KILL_ROUND_S

    def _sweep(self) -> list[int]:
        """End what outlives the leader; the pids that even SIGKILL cannot end."""
        if not self._others():
            return []
        kill_at = boottime() + _LEFTOVER_GRACE_S
        if self._kill_at is not None:
            kill_at = min(kill_at, self._kill_at)
        self._signal_tree(signal.SIGTERM)
        self._signal_tree(signal.SIGCONT)
        give_up_at = kill_at + _KILL_WAIT_S
        while left := self._others():
            self._swept.update(process.pid for process in left)
            if boottime() >= give_up_at:
                return [process.pid for process in left]
            if boottime() >= kill_at:
                self._signal_tree(signal.SIGKILL)
            self._wait_signal(_KILL_ROUND_S)
            self._reap_orphans()
        return []

    def _finish(self, status: "os.waitid_result", unkillable: list[int], error: str | None) -> None:
        _, _, usage = os.wait4(self.leader, 0)
        log_size = sync_log(self.log_path)
        exited = status.si_code == os.CLD_EXITED
        record: Record = {
            "code": status.si_status if exited and error is None else None,
            "signal": None if exited else status.si_status,
            "core": status.si_code == os.CLD_DUMPED,
            "user_s": usage.ru_utime,
            "system_s": usage.ru_stime,
            "max_rss": usage.ru_maxrss * 1024,
            "wall": time.time(),
            "boottime": boottime(),
            "log_size": log_size,
            "leftovers_killed": len(self._swept),
            "unkillable": unkillable,
            "stop_requested": self._stop_requested,
            "error": error,
        }
        for _ in range(_RECORD_TRIES):
            try:
                write_record(self.directory, "exit.json", record)
            except OSError as problem:
                with suppress(OSError):  # its log is on the same full disk
                    print(f"exit.json: {problem}; trying again", file=sys.stderr, flush=True)  # noqa: T201
                time.sleep(_RECORD_RETRY_S)
            else:
                return

    def _wait_signal(self, timeout: float | None) -> None:
        if timeout is None:
            number = signal.sigwaitinfo(self._signals).si_signo
        else:
            info = signal.sigtimedwait(self._signals, timeout)
            number = info.si_signo if info is not None else 0
        if number == signal.SIGUSR1:
            self._take_stop()

    def _take_stop(self) -> None:
        request = read_record(self.directory, "stop.json") or {}
        grace = request.get("grace_s")
        kill_at = boottime() + (float(grace) if isinstance(grace, int | float) else 0.0)
        self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)
        ended = os.waitid(os.P_PID, self.leader, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if self._stop_requested or ended is not None:
            return
        self._stop_requested = True
        self._signal_tree(signal.SIGTERM)
        self._signal_tree(signal.SIGCONT)

    def _signal_tree(self, number: int) -> None:
        for process in alive(tree_of(scan_processes(), os.getpid(), self.leader)):
            send(process, number)

    def _others(self) -> list[Process]:
        tree = tree_of(scan_processes(), os.getpid(), self.leader)
        return [process for process in alive(tree) if process.pid != self.leader]

    def _reap_orphans(self) -> None:
        for process in scan_processes():
            if process.ppid == os.getpid() and process.pid != self.leader and process.state == b"Z":
                os.waitpid(process.pid, os.WNOHANG)

    def _tell(self, byte: bytes | None) -> None:
        if self._notify is None or byte is None:
            return
        try:
            os.write(self._notify, byte)
        except OSError:
            pass  # the daemon is gone; it will find the records
        os.close(self._notify)
        self._notify = None


def become_script(spec: Record, log: int, report: int, oom_score: str | None) -> None:  # pragma: no cover
    """In the forked child: become the script, or report why not. Never returns (so no coverage of it)."""
    try:
        os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass  # the C library keeps two for itself
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if oom_score is not None:
            write_oom_score(oom_score)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        argv, env, cwd = spec["argv"], spec["env"], spec["cwd"]
        give_open_files_back(spec.get("open_files"))
        os.chdir(str(cwd))
        os.execve(argv[0], argv, env)  # type: ignore[index,arg-type] # the daemon's own record
    except BaseException as error:  # noqa: BLE001 - whatever it is, the child must not return
        name = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
        where = getattr(error, "filename", None) or spec.get("argv")
        os.write(report, f"{where} could not be executed: {name} {error}".encode())
        os._exit(EXEC_FAILED)


def give_open_files_back(soft: object) -> None:  # pragma: no cover - in the forked child
    """Set the soft limit on open files to what the daemon's own was before it raised it."""
    if not isinstance(soft, int):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def become_subreaper() -> None:
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def lower_oom_score() -> str | None:
    """Make the kernel's out-of-memory killer look elsewhere, where that is allowed; the score before."""
    try:
        with open("/proc/self/oom_score_adj", encoding="ascii") as file:
            before = file.read().strip()
        write_oom_score(_OOM_SCORE)
    except OSError:
        return None
    return before


def write_oom_score(score: str) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(score)


def sync_log(path: str) -> int:
    """Make the log durable; its size in bytes, and 0 where it is gone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    except OSError:
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    directory = arguments[0]
    notify = int(arguments[1]) if len(arguments) > 1 else None
    if notify is not None:
        os.set_inheritable(notify, False)  # noqa: FBT003 - takes it by position only
    lock = take_lock(directory)
    if lock is None:
        return LOCK_TAKEN
    os.chdir("/")
    return Shim(directory, notify).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
