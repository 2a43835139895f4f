"""Between the shim's fork and the script's first instruction: what the child sets up, and its gate.

The child waits at the gate until the start is on record. A shim that dies or cannot record leaves the gate
closed, and nothing is executed: no script ever runs without a record of its start.
"""

import errno
import os
import signal

from supervisor.process.records import Record

EXEC_FAILED = 127
_PR_SET_CHILD_SUBREAPER = 36
_OOM_SCORE = "-500"  # the shim is small and its death costs the exit code


def become_script(  # pragma: no cover - in the forked child
    spec: Record, log: int, report: int, gate: int, oom_score: str | None
) -> None:
    """Become the script once the gate opens, or report why not. Never returns."""
    try:
        os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                pass  # the C library keeps two for itself
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if oom_score is not None:
            _write_oom_score(oom_score)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        argv, env, cwd = spec["argv"], spec["env"], spec["cwd"]
        _give_open_files_back(spec.get("open_files"))
        os.chdir(str(cwd))
        if os.read(gate, 1) != b"g":
            os._exit(EXEC_FAILED)
        os.execve(argv[0], argv, env)  # type: ignore[index,arg-type] # the daemon's own record
    except BaseException as error:  # noqa: BLE001 - whatever it is, the child must not return
        name = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
        where = getattr(error, "filename", None) or spec.get("argv")
        text = f"{where} could not be executed: {name} {error}"
        os.write(report, text.encode(errors="replace")[:1000])
        os._exit(EXEC_FAILED)


def _give_open_files_back(soft: object) -> None:  # pragma: no cover - in the forked child
    """Set the soft limit on open files to what the daemon's own was before it raised it."""
    if not isinstance(soft, int):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def become_subreaper() -> None:
    """Have orphaned descendants become children of this process. Raises `OSError`."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def lower_oom_score() -> str | None:
    """Make the kernel's out-of-memory killer look elsewhere, where that is allowed; the score before."""
    try:
        with open("/proc/self/oom_score_adj", encoding="ascii") as file:
            before = file.read().strip()
        _write_oom_score(_OOM_SCORE)
    except OSError:
        return None
    return before


def _write_oom_score(score: str) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(score)
