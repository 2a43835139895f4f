"""An attempt's process seen from the daemon: launched through the shim, or taken up again, and ended.

The daemon is the shim's parent only by accident. All that it knows it reads from the attempt's
directory, so an attempt that it launched and one that it found are the same to it.
"""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from supervisor.process import shim
from supervisor.process.limits import inherited_open_files
from supervisor.process.tree import ProcessTable, members

_SHIM = str(Path(shim.__file__).resolve())
_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, 32, 33}
_START_POLL_S = 0.01  # for the moment between a shim's lock and its record of the start
_ROUND_S = 0.05  # between two looks of the ladder that stands in for a dead shim's
_KILL_WAIT_S = 5.0


class SpawnError(Exception):
    """An attempt could not be launched; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """What to launch: `argv[0]` is an absolute path, `env` the whole environment, `cwd` a directory."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str


@dataclass(frozen=True, slots=True)
class Started:
    """The shim's record of the start. Ticks count from boot, `boottime` in seconds of that clock."""

    pid: int
    start_ticks: int
    shim_pid: int
    shim_start_ticks: int
    boot_id: str
    boottime: float
    wall: float


@dataclass(frozen=True, slots=True)
class Exit:
    """How an attempt ended. `code` and `signal` are both None where nobody was there to see.

    Sizes in bytes, times in seconds; `error` is the sentence of a script that could not be executed.
    """

    code: int | None = None
    signal: int | None = None
    log_size: int | None = None
    leftovers_killed: int = 0
    unkillable: tuple[int, ...] = ()
    stop_requested: bool = False
    error: str | None = None
    wall: float | None = None
    boottime: float | None = None
    user_s: float | None = None
    system_s: float | None = None
    max_rss: int | None = None


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """The directory records no launch."""


@dataclass(frozen=True, slots=True)
class Gone:
    """It was started, it is not there any more, and no record says how it ended."""

    reason: str  # "shim_gone" or "host_rebooted"


class AttemptProcess:
    """A live attempt. Made by `launch` or `adopt`; `close` lets go of it without touching it."""

    def __init__(self, directory: Path, started: Started, descriptor: int, *, has_shim: bool) -> None:
        self.directory = directory
        self.started = started
        self._descriptor = descriptor
        self._has_shim = has_shim
        self._asked = False
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Exit] = self._loop.create_future()
        self._ladder: asyncio.Task[None] | None = None
        self._loop.add_reader(descriptor, self._on_end)

    @classmethod
    async def launch(cls, directory: Path, spec: LaunchSpec, *, timeout_s: float = 10.0) -> "AttemptProcess":
        """Launch in an existing directory; raises `SpawnError`. A directory is launched in once."""
        record: shim.Record = {
            "argv": list(spec.argv),
            "env": dict(spec.env),
            "cwd": spec.cwd,
            "open_files": inherited_open_files(),
        }
        try:
            await asyncio.to_thread(shim.write_record, str(directory), "spec.json", record)
        except OSError as error:
            raise SpawnError(f"{directory} cannot be written: {error.strerror}; free space there") from error
        word = await _spawn_shim(directory, timeout_s)
        found = await cls.adopt(directory)
        if isinstance(found, AttemptProcess):
            return found
        if isinstance(found, Exit) and found.error is not None:
            raise SpawnError(found.error)
        if isinstance(found, Exit):
            return cls._ended_already(directory, found)
        raise SpawnError(f"the shim ended before the script ran ({word!r}); {directory}/shim.log says why")

    @classmethod
    async def adopt(cls, directory: Path) -> "AttemptProcess | Exit | NeverStarted | Gone":
        """What became of the attempt in this directory, by the records and the lock alone."""
        ended = read_exit(directory)
        if ended is not None:
            return ended
        while _locked(directory):
            started = read_started(directory)
            if started is None:
                await asyncio.sleep(_START_POLL_S)
                continue
            descriptor = _open_verified(started.shim_pid, started.shim_start_ticks, started.boot_id)
            if descriptor is not None:
                return cls(directory, started, descriptor, has_shim=True)
            break
        return read_exit(directory) or cls._without_shim(directory)

    async def wait(self) -> Exit:
        """How it ended, once it has. May be awaited often, and by several."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace_s: float) -> None:
        """SIGTERM to the tree now, SIGKILL after `grace_s` seconds; a shorter grace overrides a longer.

        Returns once that is asked for. The shim does it, so it is done even if the daemon dies now.
        """
        if self._ended.done():
            return
        self._asked = True
        if not self._has_shim:
            self._ladder = self._ladder or asyncio.create_task(self._climb(grace_s))
            return
        with suppress(OSError):  # a full disk: the shim then takes the grace as none
            await asyncio.to_thread(
                shim.write_record, str(self.directory), "stop.json", {"grace_s": float(grace_s)}
            )
        with suppress(ProcessLookupError, OSError):
            if not self._ended.done():
                signal.pidfd_send_signal(self._descriptor, signal.SIGUSR1)

    def members(self) -> frozenset[int]:
        """The pids of the tree now, without the shim."""
        return members(ProcessTable.scan(), self.started.shim_pid, self.started.pid)

    def close(self) -> None:
        if self._ladder is not None:
            self._ladder.cancel()
        self._release()

    @classmethod
    def _without_shim(cls, directory: Path) -> "AttemptProcess | NeverStarted | Gone":
        started = read_started(directory)
        if started is None:
            return NeverStarted()
        if started.boot_id != shim.boot_id():
            return Gone("host_rebooted")
        descriptor = _open_verified(started.pid, started.start_ticks, started.boot_id)
        if descriptor is None:
            return Gone("shim_gone")
        return cls(directory, started, descriptor, has_shim=False)

    @classmethod
    def _ended_already(cls, directory: Path, ended: Exit) -> "AttemptProcess":
        """A script that was over before anyone looked: the same as any other, with its end known."""
        started = read_started(directory)
        if started is None:
            raise SpawnError(f"{directory} has an exit record and no record of a start; it was tampered with")
        process = cls(directory, started, os.open(os.devnull, os.O_RDONLY), has_shim=False)
        process._release()
        process._ended.set_result(ended)
        return process

    def _on_end(self) -> None:
        self._release()
        if self._has_shim:
            with suppress(ChildProcessError):
                os.waitpid(self.started.shim_pid, os.WNOHANG)
        ended = read_exit(self.directory)
        if ended is None and self._has_shim and self._watch_child():
            return
        self._ended.set_result(ended or read_exit(self.directory) or Exit(stop_requested=self._asked))

    def _watch_child(self) -> bool:
        """The shim died alone: training goes on, and is watched without it. False where it has ended too."""
        started = self.started
        descriptor = _open_verified(started.pid, started.start_ticks, started.boot_id)
        if descriptor is None:
            return False
        self._has_shim = False
        self._descriptor = descriptor
        self._loop.add_reader(descriptor, self._on_end)
        return True

    def _release(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    async def _climb(self, grace_s: float) -> None:
        """The shim's ladder, for a child that has lost its shim."""
        kill_at = self._loop.time() + grace_s
        give_up_at = kill_at + _KILL_WAIT_S
        self._signal_tree(signal.SIGTERM)
        self._signal_tree(signal.SIGCONT)
        while self._loop.time() < give_up_at:
            if not self.members():
                return
            if self._loop.time() >= kill_at:
                self._signal_tree(signal.SIGKILL)
            await asyncio.sleep(_ROUND_S)

    def _signal_tree(self, number: int) -> None:
        for pid in self.members():
            process = shim.read_process(pid)
            if process is not None:
                shim.send(process, number)


def _open_verified(pid: int, start_ticks: int, boot_id: str) -> int | None:
    """A pidfd of exactly this process, or None where it has ended.

    The pidfd first, then the comparison: what was compared cannot change any more.
    """
    if boot_id != shim.boot_id():
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return None
    process = shim.read_process(pid)
    if process is None or process.start_ticks != start_ticks or process.state == b"Z":
        os.close(descriptor)
        return None
    return descriptor


def read_started(directory: Path) -> Started | None:
    """The record of the start, or None where there is none."""
    record = shim.read_record(str(directory), "started.json")
    return None if record is None else Started(**record)  # type: ignore[arg-type] # the shim's own record


def read_exit(directory: Path) -> Exit | None:
    """The record of the end, or None where there is none."""
    record = shim.read_record(str(directory), "exit.json")
    if record is None:
        return None
    known = {name: record[name] for name in Exit.__slots__ if name in record}
    unkillable = known.pop("unkillable", [])
    return Exit(**known, unkillable=tuple(unkillable))  # type: ignore[arg-type] # the shim's own record


async def _spawn_shim(directory: Path, timeout_s: float) -> bytes:
    """Start a shim and wait for its word: S, E, or nothing where it ended before either."""
    ours, theirs = os.pipe()
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()

    def hear() -> None:
        if not heard.done():
            heard.set_result(os.read(ours, 1))

    try:
        pid = _posix_spawn(directory, theirs)
    except OSError as error:
        os.close(ours)
        raise SpawnError(f"{sys.executable} could not be started: {error.strerror}") from error
    finally:
        os.close(theirs)
    loop.add_reader(ours, hear)
    word = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            word = await heard
    loop.remove_reader(ours)
    os.close(ours)
    if not word:
        # It ended, or is stuck: then it must not come round later and launch after all.
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, pid, 0)
    return word


def _posix_spawn(directory: Path, notify: int) -> int:
    shim_log = directory / "shim.log"
    channel = 3  # the first after the standard three: dup2 makes it inheritable in the shim alone
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", _SHIM, str(directory), str(channel)],
        {},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(shim_log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            (os.POSIX_SPAWN_DUP2, notify, channel),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=_ALL_SIGNALS,
    )


def _locked(directory: Path) -> bool:
    """Whether a shim lives in this directory."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
