"""Starting a shim in an attempt's directory, and ending one that hangs before it has launched anything."""

import asyncio
import os
import select
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from supervisor.process import shim
from supervisor.process.procfs import Process, read_process, send
from supervisor.process.records import lock_holder

_SHIM = str(Path(shim.__file__).resolve())
_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
_REAP_POLL_S = 0.005
_REAP_S = 5.0  # a shim that has said its last word ends at once, and so does one that was killed


@dataclass(frozen=True, slots=True)
class Spawned:
    """A shim's pid and its word: `S`, `E` with a sentence, or nothing in time."""

    pid: int
    word: str

    @property
    def failure(self) -> str | None:
        """The sentence of a launch that failed."""
        return self.word[1:] if self.word.startswith("E") else None


async def spawn_shim(directory: Path, timeout_s: float) -> Spawned:
    """Start a shim and wait for its word, at most `timeout_s` seconds. Raises `OSError`.

    Cancelled meanwhile, it leaves the shim to its work: what becomes of it is on record in the directory.
    """
    ours, theirs = os.pipe()
    try:
        try:
            pid = _posix_spawn(directory, theirs)
        finally:
            os.close(theirs)
        return Spawned(pid, await _word(ours, timeout_s))
    finally:
        os.close(ours)


async def _word(descriptor: int, timeout_s: float) -> str:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(timeout_s):
            await readable.wait()
        return os.read(descriptor, select.PIPE_BUF).decode(errors="replace")
    except TimeoutError:
        return ""
    finally:
        loop.remove_reader(descriptor)


def _posix_spawn(directory: Path, notify: int) -> int:
    channel = 3  # the first after the standard three: dup2 makes it inheritable in the shim alone
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", _SHIM, str(directory), str(channel)],
        {},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (
                os.POSIX_SPAWN_OPEN,
                1,
                str(directory / "shim.log"),
                os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                0o600,
            ),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            (os.POSIX_SPAWN_DUP2, notify, channel),
        ],
        setsid=True,
        setsigmask=_ALL_SIGNALS,  # born with all of them blocked: a signal to all cannot end it half-way
        setsigdef=_ALL_SIGNALS,
    )


def kill_holder(directory: Path) -> None:
    """SIGKILL to the shim that holds the lock: only for one that has no start on record.

    Nothing that it launched can run: its child waits at a gate that a dead shim never opens.
    """
    holder = lock_holder(str(directory))
    process = read_process(holder[0]) if holder is not None else None
    if process is not None and process.identity == holder and _is_shim_of(process, directory):
        send(process, signal.SIGKILL)


def _is_shim_of(process: Process, directory: Path) -> bool:
    try:
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(directory) in arguments


async def reaped(pid: int) -> bool:
    """Wait, bounded, for a shim that is about to end, so that no zombie of it stays; False at the bound."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _REAP_S
    while loop.time() < until:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:  # noqa: ASYNC222 - WNOHANG does not wait
                return True
        except ChildProcessError:
            return True  # another daemon's child, or reaped already
        await asyncio.sleep(_REAP_POLL_S)
    return False


def reap(pid: int) -> None:
    """Reap a shim that has ended, where it was this process' child."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
