"""What the service manager is told by sd_notify(3): start, state, signs of life, end. Without one, nothing.

The signs of life come from the loop that supervises: a thread could send them while nothing is watched.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from supervisor.domain.run import RunState
from supervisor.engine.engine import Engine

log = structlog.get_logger(__name__)

_STATUS_EVERY_S = 1.0  # at most: many runs can change at once
_EXTEND_EVERY_S = 5.0
_EXTEND_BY_S = 30.0
_LONGEST_START_S = 900.0  # then the service manager may end a start that gets nowhere
_LONGEST_STATUS = 200
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Who started the daemon. `address` is where datagrams go; `watchdog_s` how soon one must come again."""

    address: str | None = None
    watchdog_s: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], pid: int) -> "ServiceManager":
        """By `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, as sd_watchdog_enabled(3) reads them."""
        address = environ.get("NOTIFY_SOCKET") or None
        if address is None or environ.get("WATCHDOG_PID", str(pid)) != str(pid):
            return cls(address)
        try:
            microseconds = int(environ.get("WATCHDOG_USEC", "0"))
        except ValueError:
            return cls(address)
        return cls(address, microseconds / _MICROSECONDS if microseconds > 0 else None)

    def tell(self, *fields: str) -> bool:
        """Send these fields in one datagram; False where it did not arrive. Never waits, never raises."""
        if self.address is None:
            return False
        # A name that begins with @ stands in no directory; its first byte is null.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as sender:
                sender.sendto("\n".join(fields).encode(errors="replace"), address)
        except (OSError, ValueError) as error:
            log.debug("the service manager was not told", fields=fields, error=str(error))
            return False
        return True

    async def keep_starting(self) -> None:
        """Ask for more time to start, until cancelled: the recovery pass may take long."""
        if self.address is None:
            return
        self.tell(status_field("starting: taking up the runs there are"))
        asked_s = 0.0
        while asked_s < _LONGEST_START_S:
            self.tell(f"EXTEND_TIMEOUT_USEC={round(_EXTEND_BY_S * _MICROSECONDS)}")
            await asyncio.sleep(_EXTEND_EVERY_S)
            asked_s += _EXTEND_EVERY_S

    async def report(self, engine: Engine) -> None:
        """Say that it is ready, then how its runs are, until it stops; and until cancelled, that it lives."""
        if self.address is None:
            return
        said = _status(engine)
        self.tell("READY=1", said)
        life = asyncio.create_task(self._show_life(engine))
        try:
            while not engine.hub.closing.is_set():
                await engine.hub.news.wait()
                engine.hub.news.clear()
                now = _status(engine)
                if now != said:
                    self.tell(now)
                    said = now
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STATUS_EVERY_S):
                        await engine.hub.closing.wait()
            self.tell("STOPPING=1", status_field("stopping; live runs go on"))
            await life
        finally:
            life.cancel()

    async def _show_life(self, engine: Engine) -> None:
        """WATCHDOG=1 each half of what is allowed (sd_watchdog_enabled(3)), as long as all parts live."""
        while self.watchdog_s is not None and not engine.parts.ended():
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog_s / 2)


def status_field(text: str) -> str:
    """The line that `systemctl status` shows: one line, whatever the text is."""
    return "STATUS=" + " ".join(text.split())[:_LONGEST_STATUS]


def status_text(states: Iterable[RunState]) -> str:
    """How many live runs are in which state."""
    counts = Counter(states)
    if not counts:
        return "ready: no live run"
    return "ready: " + ", ".join(f"{counts[state]} {state}" for state in RunState if counts[state])


def _status(engine: Engine) -> str:
    return status_field(status_text(live.run.state for live in engine.live_runs()))
