"""An attempt's process seen from the daemon: launched through the shim, or taken up again, and ended.

The daemon is the shim's parent only by accident. All that it knows it reads from the attempt's
directory, so an attempt that it launched and one that it found are the same to it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from supervisor.process.ladder import Ladder, Orphaned
from supervisor.process.life import LEFTOVER_GRACE_S
from supervisor.process.limits import inherited_open_files
from supervisor.process.procfs import boot_id, is_same, read_process
from supervisor.process.records import Record, is_locked, read_record, write_record
from supervisor.process.spawn import Spawned, kill_holder, reap, reaped, spawn_shim
from supervisor.process.tree import ProcessTable, members

_START_POLL_S = 0.01  # for the moment between a shim's lock and its record of the start
_HUNG_KILL_S = 2.0  # for a shim that was killed before its launch to let go of the lock


class SpawnError(Exception):
    """An attempt could not be launched; the message says why and what to do."""


class StartUnknownError(Exception):
    """A shim holds the attempt's lock, records no start, and cannot be ended: wait, and look again."""


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
    """It was started, it is not there any more, and no record says how it ended.

    What it left behind has been ended, but for `unkillable`.
    """

    reason: str  # "shim_gone" or "host_rebooted"
    unkillable: tuple[int, ...] = ()


class AttemptProcess:
    """A live attempt. Made by `launch` or `adopt`; `close` lets go of it without touching it."""

    def __init__(self, directory: Path, started: Started, descriptor: int, *, has_shim: bool) -> None:
        self.directory = directory
        self.started = started
        self._descriptor = descriptor
        self._has_shim = has_shim
        self._kill_at: float | None = None  # of a stop that was asked for, in the loop's time
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Exit] = self._loop.create_future()
        self._ladder: Ladder | None = None
        self._climbing: asyncio.Task[None] | None = None
        if descriptor >= 0:
            self._loop.add_reader(descriptor, self._on_end)

    @classmethod
    async def launch(cls, directory: Path, spec: LaunchSpec, *, timeout_s: float = 10.0) -> "AttemptProcess":
        """Launch in an existing directory. A directory is launched in once: a second time finds the first.

        Raises `SpawnError` where nothing was launched, and `StartUnknownError` where that is not known.
        """
        record: Record = {
            "argv": list(spec.argv),
            "env": dict(spec.env),
            "cwd": spec.cwd,
            "open_files": inherited_open_files(),
        }
        try:
            await asyncio.to_thread(write_record, str(directory), "spec.json", record)
        except OSError as error:
            raise SpawnError(f"{directory} cannot be written: {error.strerror}; free space there") from error
        try:
            spawned = await spawn_shim(directory, timeout_s)
        except OSError as error:
            raise SpawnError(f"{sys.executable} could not be started: {error.strerror}") from error
        if not spawned.word:
            await _settle_silent(directory, spawned)
        elif spawned.failure is not None:
            await reaped(spawned.pid)
            raise SpawnError(spawned.failure)
        found = await cls.adopt(directory, timeout_s=timeout_s)
        if isinstance(found, AttemptProcess):
            return found
        await reaped(spawned.pid)
        if isinstance(found, Exit):
            if found.error is not None:
                raise SpawnError(found.error)
            return cls._ended_already(directory, found)
        raise SpawnError(
            f"the shim ended before the script ran ({spawned.word!r}); {directory}/shim.log says why"
        )

    @classmethod
    async def adopt(
        cls, directory: Path, *, timeout_s: float = 10.0
    ) -> "AttemptProcess | Exit | NeverStarted | Gone":
        """What became of the attempt in this directory, by the records and the lock alone.

        A shim that has the lock and records no start within `timeout_s` seconds is ended: it has not launched
        anything. Raises `StartUnknownError` where that cannot be done. What a lost attempt left is ended too.
        """
        until = asyncio.get_running_loop().time() + timeout_s
        while read_exit(directory) is None and is_locked(str(directory)):
            started = read_started(directory)
            if started is not None:
                descriptor = _open_verified(started.shim_pid, started.shim_start_ticks, started.boot_id)
                if descriptor is not None:
                    return cls(directory, started, descriptor, has_shim=True)
                break
            if asyncio.get_running_loop().time() > until:
                await _end_hung_shim(directory)
                break
            await asyncio.sleep(_START_POLL_S)
        ended = read_exit(directory)
        if ended is not None:
            started = read_started(directory)
            if started is not None:
                reap(started.shim_pid)
            return ended
        return await cls._without_shim(directory)

    async def wait(self) -> Exit:
        """How it ended, once it has. May be awaited often, and by several."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace_s: float) -> None:
        """SIGTERM to the script now and to the rest of its tree after it, SIGKILL after `grace_s` seconds.

        A shorter grace overrides a longer. Returns once that is asked for. The shim does it, so it is done
        even if the daemon dies now.
        """
        if self._ended.done():
            return
        kill_at = self._loop.time() + grace_s
        self._kill_at = kill_at if self._kill_at is None else min(kill_at, self._kill_at)
        if not self._has_shim:
            self._climb(self._kill_at)
            return
        number = signal.SIGUSR1
        try:
            record: Record = {"grace_s": float(grace_s)}
            await asyncio.to_thread(write_record, str(self.directory), "stop.json", record)
        except OSError:
            # A full disk: the shim takes a grace of its own, unless it is told that there is none.
            number = signal.SIGUSR2 if grace_s <= 0 else number
        with suppress(OSError):
            if self._has_shim and self._descriptor >= 0:
                signal.pidfd_send_signal(self._descriptor, number)

    def members(self) -> frozenset[int]:
        """The pids of the tree now, without the shim."""
        return members(ProcessTable.scan(), self.started.shim_pid, self.started.pid)

    def close(self) -> None:
        if self._climbing is not None:
            self._climbing.cancel()
        self._release()

    @classmethod
    async def _without_shim(cls, directory: Path) -> "AttemptProcess | NeverStarted | Gone":
        started = read_started(directory)
        if started is None:
            return NeverStarted()
        if started.boot_id != boot_id():
            return Gone("host_rebooted")
        reap(started.shim_pid)
        descriptor = _open_verified(started.pid, started.start_ticks, started.boot_id)
        if descriptor is not None:
            return cls(directory, started, descriptor, has_shim=False)
        kill_at = asyncio.get_running_loop().time() + LEFTOVER_GRACE_S
        left = await Ladder(_orphaned(directory, started), kill_at).climb()
        return Gone("shim_gone", tuple(process.pid for process in left))

    @classmethod
    def _ended_already(cls, directory: Path, ended: Exit) -> "AttemptProcess":
        """A script that was over before anyone looked: the same as any other, with its end known."""
        started = read_started(directory)
        if started is None:
            raise SpawnError(f"{directory} has an exit record and no record of a start; it was tampered with")
        process = cls(directory, started, -1, has_shim=False)
        process._ended.set_result(ended)
        return process

    def _on_end(self) -> None:
        self._release()
        if self._has_shim:
            reap(self.started.shim_pid)
        ended = read_exit(self.directory)
        if ended is not None:
            self._ended.set_result(ended)
        elif self._has_shim and self._watch_child():
            if self._kill_at is not None:
                self._climb(self._kill_at)  # the shim cannot see its ladder through any more
        else:
            self._has_shim = False
            self._climb(self._kill_at or self._loop.time() + LEFTOVER_GRACE_S)

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

    def _climb(self, kill_at: float) -> None:
        """End what is left of a tree without a shim; one ladder at a time, the shortest grace counts."""
        if self._climbing is not None and not self._climbing.done():
            if self._ladder is not None:
                self._ladder.kill_at = min(self._ladder.kill_at, kill_at)
            return
        self._ladder = Ladder(_orphaned(self.directory, self.started), kill_at)
        self._climbing = asyncio.create_task(self._end_tree(self._ladder))

    async def _end_tree(self, ladder: Ladder) -> None:
        left = await ladder.climb()
        if self._descriptor >= 0 and is_same((self.started.pid, self.started.start_ticks)):
            return  # the leader itself cannot be killed: its end, whenever it comes, is awaited
        self._release()
        swept = ladder.seen - {(self.started.pid, self.started.start_ticks)}
        ended = read_exit(self.directory) or Exit(
            leftovers_killed=len(swept),
            unkillable=tuple(process.pid for process in left),
            stop_requested=self._kill_at is not None,
        )
        if not self._ended.done():
            self._ended.set_result(ended)


async def _settle_silent(directory: Path, spawned: Spawned) -> None:
    """A shim that said nothing in time ended, or hangs: then it must not come round later and launch."""
    if read_started(directory) is None:
        with suppress(ProcessLookupError):
            os.kill(spawned.pid, signal.SIGKILL)
        await reaped(spawned.pid)


async def _end_hung_shim(directory: Path) -> None:
    """Raises `StartUnknownError` where the lock stays held."""
    kill_holder(directory)
    until = asyncio.get_running_loop().time() + _HUNG_KILL_S
    while is_locked(str(directory)):
        if asyncio.get_running_loop().time() > until:
            raise StartUnknownError(
                f"a shim holds {directory}/lock, has recorded no start, and does not end after SIGKILL: it "
                "hangs on a disk or is another user's; nothing is launched until it lets go of the lock"
            )
        await asyncio.sleep(_START_POLL_S)


def _orphaned(directory: Path, started: Started) -> Orphaned:
    try:
        spec = read_record(str(directory), "spec.json") or {}
    except ValueError:
        spec = {}
    env = spec.get("env")
    return Orphaned.of((started.pid, started.start_ticks), env if isinstance(env, dict) else {})


def _open_verified(pid: int, start_ticks: int, boot: str) -> int | None:
    """A pidfd of exactly this process, or None where it has ended.

    The pidfd first, then the comparison: what was compared cannot change any more.
    """
    if boot != boot_id():
        return None
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return None
    process = read_process(pid)
    if process is None or process.start_ticks != start_ticks or not process.runs:
        os.close(descriptor)
        return None
    return descriptor


def read_started(directory: Path) -> Started | None:
    """The record of the start, or None where there is none."""
    record = read_record(str(directory), "started.json")
    return None if record is None else Started(**record)  # type: ignore[arg-type] # the shim's own record


def read_exit(directory: Path) -> Exit | None:
    """The record of the end, or None where there is none; `unkillable` are those that still run."""
    record = read_record(str(directory), "exit.json")
    if record is None:
        return None
    known = {name: record[name] for name in Exit.__slots__ if name in record and name != "unkillable"}
    return Exit(**known, unkillable=_still_running(record))  # type: ignore[arg-type] # the shim's own record


def _still_running(record: Record) -> tuple[int, ...]:
    named = record.get("unkillable")
    if not isinstance(named, list) or record.get("boot_id") != boot_id():
        return ()
    return tuple(pid for pid, ticks in named if is_same((pid, ticks)))
