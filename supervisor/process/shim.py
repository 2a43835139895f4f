"""The parent of one attempt: launches the script, waits for it, sweeps up after it, writes down its end.

It runs as `python -I -S shim.py DIRECTORY [NOTIFY_FD]`, on the standard library alone, so that it is
small, starts fast and outlives the daemon. Everything it knows goes into files of the attempt's directory:

    spec.json     read: argv, env, cwd, written by the daemon
    lock          held by flock as long as the shim lives: one launch at most, and liveness without pids
    started.json  pids, start ticks, boot id: on disk before the script may run
    stop.json     read at SIGUSR1: `grace_s`; SIGUSR2 means no grace, where that could not be written
    exit.json     code or signal, resource use, final log size, leftovers killed; its space is taken before
                  the launch, so that a disk that fills up cannot swallow it

To the file NOTIFY_FD it writes S once the script runs, or E and a sentence once it is known that it cannot.
What it does lies in `life.py`, so that Python finds it compiled; this file is compiled at each start.
"""

import os
import sys

if __name__ == "__main__":  # by its path and isolated: the package is not to be found yet
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from supervisor.process.life import LOCK_TAKEN, Shim
from supervisor.process.records import take_lock


def _close_inherited(keep: int | None) -> None:
    """Close what the launcher left open: the shim must not hold its sockets for hours."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) != keep:  # noqa: PLR2004 - the standard three
            try:
                os.close(int(name))
            except OSError:
                pass  # the one that the listing itself had open


def main(arguments: list[str]) -> int:
    directory = arguments[0]
    notify = int(arguments[1]) if len(arguments) > 1 else None
    _close_inherited(notify)
    if notify is not None:
        os.set_inheritable(notify, False)  # noqa: FBT003 - takes it by position only
    lock = take_lock(directory)
    if lock is None:
        return LOCK_TAKEN
    os.chdir("/")
    return Shim(directory, notify).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
