"""What is followed for long, as states without I/O: a wait, a run's events, an attempt's log.

Each knows the next call to make and what has been seen, so that a broken connection costs nothing:
nothing is lost, nothing comes twice. The transports only carry and wait.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from supervisor.client import requests
from supervisor.client.models import Event, Run, Stage, WaitFor
from supervisor.client.requests import LONGEST_STEP_S, Request
from supervisor.client.sse import ServerEvent

DEFAULT_PATIENCE_S = 60.0
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0


class Patience:
    """How long a daemon that does not answer is waited for, and how long before the next try."""

    def __init__(self, limit_s: float, clock: Callable[[], float]) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._since: float | None = None
        self._delay_s = _FIRST_DELAY_S

    def reached(self) -> None:
        """The daemon answered."""
        self._since, self._delay_s = None, _FIRST_DELAY_S

    def failed(self) -> float | None:
        """Seconds until the next try, or None when it has been long enough."""
        now = self._clock()
        if self._since is None:
            self._since = now
        left = self._since + self._limit_s - now
        if left <= 0:
            return None
        delay, self._delay_s = self._delay_s, min(_LONGEST_DELAY_S, self._delay_s * 2)
        return min(delay, left)


class Waiting:
    """A long wait, made of bounded ones. `timeout_s` None: as long as it takes."""

    def __init__(self, run: str, for_: WaitFor, timeout_s: float | None, clock: Callable[[], float]) -> None:
        self._run = run
        self._for = for_
        self._clock = clock
        self._deadline = None if timeout_s is None else clock() + timeout_s
        self.reached_once = False

    def left_s(self, most: float) -> float:
        """Seconds to the deadline, at most `most`."""
        return most if self._deadline is None else max(0.0, min(most, self._deadline - self._clock()))

    def request(self) -> Request[Run]:
        """The next call. The first only looks: it shows that the daemon is there and which run is meant."""
        step = LONGEST_STEP_S if self.reached_once else 0.0
        return requests.wait(self._run, self._for, round(self.left_s(step), 3))

    def take(self, run: Run) -> bool:
        """Whether this answer ends the wait."""
        self._run, self.reached_once = run["id"], True  # `latest` may mean another run by the next call
        return self.over or outcome_of(run) not in {"timeout", "stopping"}

    @property
    def over(self) -> bool:
        """Whether the time is."""
        return self._deadline is not None and self._clock() >= self._deadline


def outcome_of(run: Run) -> str | None:
    """How the wait that brought this run ended; None where nobody waited."""
    wait = run.get("wait")
    return wait["outcome"] if wait else None


class EventsFollowed:
    """A run's events in order, each once, until the run's end."""

    def __init__(self, run_id: str, after: int = 0) -> None:
        self._run_id = run_id
        self._after = after
        self.finished = False

    def request(self) -> Request[None]:
        last_id = str(self._after) if self._after else ""
        return requests.stream(self._run_id, "events", last_id, {"after": self._after})

    def take(self, message: ServerEvent) -> Event | None:
        """The event that this message brings, if it brings a new one."""
        data = json.loads(message.data)
        if message.type == "end":
            self.finished = data.get("reason") == "ended"
            return None
        if data["number"] <= self._after:
            return None
        self._after = data["number"]
        event: Event = data
        return event


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Text of a log as it came; `next` is the byte offset behind it.

    A piece without text says that the `trimmed` bytes before `next` are gone.
    """

    stage: Stage
    attempt: int
    text: str
    next: int
    trimmed: int = 0


class LogFollowed:
    """One attempt's log from an offset, or from its end, until the attempt's end.

    `launched` is False for an attempt that may not have begun, which the route would not find by number;
    `limit` says how much of the end to begin with.
    """

    def __init__(
        self,
        run_id: str,
        stage: Stage,
        attempt: int,
        *,
        offset: int | None = None,
        limit: int | None = None,
        launched: bool = True,
    ) -> None:
        self.stage = stage
        self.attempt = attempt
        self._run_id = run_id
        self._offset = offset
        self._limit = limit
        self._launched = launched
        self.finished = False

    def request(self) -> Request[None]:
        params = {
            "follow": "true",
            "stage": self.stage,
            "attempt": self.attempt if self._launched else None,
            "offset": self._offset,
            "limit": self._limit if self._offset is None else None,
        }
        last_id = str(self._offset) if self._offset is not None else ""
        return requests.stream(self._run_id, "log", last_id, params)

    def take(self, message: ServerEvent) -> LogPiece | None:
        """The text that this message brings, if any."""
        data = json.loads(message.data)
        if message.type == "end":
            self.finished = data.get("reason", "ended") == "ended"
            self._offset = data.get("next", self._offset)
            return None
        if message.type == "trimmed":
            self._offset, self._launched = int(message.id), True
            return LogPiece(self.stage, self.attempt, "", self._offset, data["to"] - data["from"])
        if message.type != "log":
            return None
        self._offset, self._launched = int(message.id), True
        return LogPiece(self.stage, self.attempt, data, self._offset)


_LAUNCHES = frozenset({"attempt_starting", "attempt_started", "attempt_adopted"})


def launched_after(event: Event, stage: Stage, attempt: int) -> tuple[Stage, int] | None:
    """The stage and number of a launch that this event tells of, if it came after that attempt."""
    if event["type"] not in _LAUNCHES:
        return None
    began: Stage = "follow_up" if event["data"].get("stage") == "follow_up" else "training"
    found = (began, event["attempt"] or 1)
    return found if _order(*found) > _order(stage, attempt) else None


def _order(stage: Stage, attempt: int) -> tuple[bool, int]:
    return stage == "follow_up", attempt
