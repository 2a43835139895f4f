"""The blocking client."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeVar, Unpack, overload

import httpx2

from supervisor.client import requests, transport
from supervisor.client.discovery import Location, discover
from supervisor.client.errors import ApiError, ClientError, DaemonUnreachable
from supervisor.client.following import (
    DEFAULT_PATIENCE_S,
    EventsFollowed,
    LogFollowed,
    LogPiece,
    Patience,
    Waiting,
    launched_after,
    outcome_of,
)
from supervisor.client.models import (
    Attempt,
    BriefRun,
    Device,
    Event,
    EventList,
    Health,
    Kind,
    Ready,
    Report,
    ReportFormat,
    Restored,
    Review,
    Run,
    RunList,
    Sample,
    Stage,
    Submission,
    WaitFor,
)
from supervisor.client.requests import LogChunk, Request
from supervisor.client.sse import EventParser, ServerEvent

T = TypeVar("T")


class Client:
    """The daemon's API, blocking.

    >>> with Client() as client:                      # finds the daemon and its token by itself
    ...     run = client.submit(script="/data/train.py")
    ...     run = client.wait(run["id"], for_="checkpoint", timeout_s=120)

    `url` is `http://HOST:PORT` or `unix:/PATH`. What waits or follows goes on over a daemon that is
    restarted, for up to `patience_s` without an answer; `timeout_s` is how long any other answer may take.
    Every call raises `ApiError` where the daemon refuses and `DaemonUnreachable` where it does not answer.
    A run is named by its id, its name, a unique beginning of its id, or `latest`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        patience_s: float = DEFAULT_PATIENCE_S,
        timeout_s: float = requests.READ_S,
    ) -> None:
        self._discovers = url is None
        self._patience_s = patience_s
        self._timeout_s = timeout_s
        self.location = discover() if url is None else Location(url, token)
        self._http = _open(self.location)
        self._left: list[httpx2.Client] = []

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for http in (*self._left, self._http):
            http.close()

    def submit(self, *, idempotency_key: str | None = None, **fields: Unpack[Submission]) -> Run:
        """Submit a script; the run comes back at once. A key makes your own retry safe, too."""
        return self._send(requests.submit(fields, idempotency_key or secrets.token_hex(16)))

    def runs(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> RunList:
        """A page of runs, newest first."""
        return self._send(requests.runs(state, limit, cursor))

    def iter_runs(self, *, state: Sequence[str] = (), page: int = 200) -> Iterator[Run]:
        """All runs, newest first, page by page."""
        cursor = None
        while True:
            found = self.runs(state=state, limit=page, cursor=cursor)
            yield from found["items"]
            cursor = found["next_cursor"]
            if cursor is None:
                return

    def get(self, run: str) -> Run:
        return self._send(requests.get(run))

    def brief(self, run: str) -> BriefRun:
        return self._send(requests.brief(run))

    def wait(self, run: str, for_: WaitFor = "finished", timeout_s: float | None = None) -> Run:
        """The run once it is as wanted, has ended, or time is over: `wait` in it says which."""
        waiting = Waiting(run, for_, timeout_s, time.monotonic)
        patience = Patience(self._patience_s if timeout_s is None else timeout_s, time.monotonic)
        while True:
            try:
                found = self._send(waiting.request())
            except (DaemonUnreachable, ApiError) as error:
                refused = isinstance(error, ApiError) and not error.retryable
                if refused or waiting.over or not waiting.reached_once:
                    raise
                self._pause(patience, error, waiting.left_s(self._patience_s))
                continue
            if waiting.take(found):
                return found
            if outcome_of(found) == "stopping":
                self._pause(patience, DaemonUnreachable("the daemon is stopping"), self._patience_s)
                continue
            patience.reached()

    def stop(self, run: str, *, grace_s: float | None = None, if_attempt: int | None = None) -> Run:
        """Stop a run: SIGTERM now, SIGKILL after `grace_s`. May be repeated."""
        return self._send(requests.stop(run, grace_s, if_attempt))

    def relaunch(
        self,
        run: str,
        *,
        batch_size: int | None = None,
        reason: str | None = None,
        if_attempt: int | None = None,
        grace_s: float | None = None,
    ) -> Run:
        """A new attempt now. `if_attempt` guards a decision: refused when another attempt is current."""
        return self._send(requests.relaunch(run, batch_size, reason, if_attempt, grace_s))

    def restore(self, run: str, *, force: bool = False) -> Restored:
        """Bring the script back as it was submitted. `force` overwrites what others have changed."""
        return self._send(requests.restore(run, force=force))

    def attempts(self, run: str) -> list[Attempt]:
        return self._send(requests.attempts(run))

    def attempt(self, run: str, number: int, *, stage: Stage = "training") -> Attempt:
        return self._send(requests.attempt(run, number, stage))

    def events(self, run: str, *, after: int = 0, limit: int = 100) -> EventList:
        """A page of events numbered beyond `after`."""
        return self._send(requests.events(run, after, limit))

    def follow_events(self, run: str, *, after: int = 0) -> Iterator[Event]:
        """Events numbered beyond `after`, each once, until the run's end."""
        followed = EventsFollowed(self.get(run)["id"], after)
        for message in self._stream(followed):
            event = followed.take(message)
            if event is not None:
                yield event

    def log(
        self,
        run: str,
        *,
        attempt: int | None = None,
        stage: Stage | None = None,
        offset: int | None = None,
        limit: int | None = None,
        tail: int | None = None,
        grep: str | None = None,
        raw: bool = False,
    ) -> LogChunk:
        """Bytes of a log: from `offset`, or its last `limit` bytes or `tail` lines, or those that match."""
        asked = requests.log(
            run, attempt=attempt, stage=stage, offset=offset, limit=limit, tail=tail, grep=grep, raw=raw
        )
        return self._send(asked)

    def follow_log(
        self,
        run: str,
        *,
        attempt: int | None = None,
        stage: Stage = "training",
        offset: int | None = None,
        limit: int | None = None,
        tail: int | None = None,
        through: bool = False,
    ) -> Iterator[LogPiece]:
        """A log as it grows, until the attempt's end; with `through` on through later ones to the run's.

        It begins at `offset`, or with the last `tail` lines or `limit` bytes.
        """
        found = self.get(run)
        last = found["attempt"] if stage == "training" else 0
        number, launched = attempt or last or 1, attempt is not None or last > 0
        if tail is not None:
            chunk = self.log(found["id"], attempt=attempt, stage=stage, tail=tail)
            offset = chunk.next
            yield LogPiece(stage, number, chunk.data.decode(errors="replace"), offset)
        followed = LogFollowed(found["id"], stage, number, offset=offset, limit=limit, launched=launched)
        launches = self._launches(found["id"]) if through else iter(())
        while True:
            for message in self._stream(followed):
                piece = followed.take(message)
                if piece is not None:
                    yield piece
            later = (launched_after(event, followed.stage, followed.attempt) for event in launches)
            following = next((found for found in later if found is not None), None)
            if following is None:
                return
            followed = LogFollowed(found["id"], *following, offset=0)

    def samples(self, run: str, *, points: int | None = None, attempt: int | None = None) -> list[Sample]:
        """Memory and utilisation over time, in at most `points` samples."""
        return self._send(requests.samples(run, points, attempt))

    @overload
    def report(self, run: str, format: Literal["json"] = "json") -> Report: ...
    @overload
    def report(self, run: str, format: Literal["markdown", "html"]) -> str: ...
    def report(self, run: str, format: ReportFormat = "json") -> Report | str:  # noqa: A002 - its name
        """What became of a run, as JSON, Markdown or a page."""
        found: Report | str = self._send(requests.report(run, format))
        return found

    def review(self, script: str, *, cwd: str | None = None, kind: Kind | None = None) -> Review:
        """The static check of a script that the daemon can read."""
        return self._send(requests.review(script, cwd, kind))

    def devices(self) -> list[Device]:
        return self._send(requests.devices())

    def status(self) -> str:
        """All runs at a look, as text of at most 24 lines."""
        return self._send(requests.status())

    def health(self) -> Health:
        return self._send(requests.health())

    def ready(self) -> Ready:
        """Whether the daemon does its work, and what does not."""
        return self._send(requests.ready())

    def _launches(self, run_id: str) -> Iterator[Event]:
        """The run's events from now on and before, read once, however many attempts there are."""
        followed = EventsFollowed(run_id)
        for message in self._stream(followed):
            event = followed.take(message)
            if event is not None:
                yield event

    def _send(self, request: Request[T]) -> T:
        repeats = transport.REPEATS if request.repeatable else 0
        options = transport.send_options(request, self._timeout_s)
        for left in range(repeats, -1, -1):
            try:
                response = self._http.request(request.method, request.path, **options)
                return requests.result(request, transport.answer_of(response))
            except httpx2.TransportError as error:
                if not left or not transport.worth_repeating(error):
                    raise transport.unreachable(self.location, error) from error
            except ApiError as error:
                # The call whose connection broke may still be under way: the daemon says so, once.
                if not left or left == repeats or not error.retryable:
                    raise
                time.sleep(transport.UNDER_WAY_S)
        raise AssertionError("the last try returns or raises")

    def _stream(self, followed: EventsFollowed | LogFollowed) -> Iterator[ServerEvent]:
        """Messages until what is followed has finished, over as many connections as it takes."""
        patience = Patience(self._patience_s, time.monotonic)
        while not followed.finished:
            broken: ClientError = DaemonUnreachable("the daemon has closed the stream; try again")
            try:
                with self._messages(followed.request()) as messages:
                    for message in messages:
                        patience.reached()
                        yield message
            except (DaemonUnreachable, ApiError) as error:
                if isinstance(error, ApiError) and not error.retryable:
                    raise
                broken = error
            if not followed.finished:
                self._pause(patience, broken, self._patience_s)

    @contextmanager
    def _messages(self, request: Request[None]) -> Iterator[Iterator[ServerEvent]]:
        options = transport.send_options(request, self._timeout_s)
        try:
            with self._http.stream(request.method, request.path, **options) as response:
                if response.is_error:
                    response.read()
                    raise requests.error_of(transport.answer_of(response))
                yield _parse(response)
        except httpx2.TransportError as error:
            raise transport.unreachable(self.location, error) from error

    def _pause(self, patience: Patience, error: ClientError, most_s: float) -> None:
        """Wait before the next try, and look where the daemon is by then; raises `error` at the end."""
        delay = patience.failed()
        if delay is None:
            raise error
        time.sleep(min(delay, most_s))
        if not self._discovers:
            return
        try:
            location = discover()
        except DaemonUnreachable:
            return  # not started again yet
        if location != self.location:
            self._left.append(self._http)  # a stream may still hold it
            self.location, self._http = location, _open(location)


def _open(location: Location) -> httpx2.Client:
    carrier = httpx2.HTTPTransport(trust_env=False, **transport.transport_options(location))
    return httpx2.Client(
        base_url=transport.base_url(location),
        headers=transport.client_headers(location),
        transport=carrier,
        trust_env=False,
    )


def _parse(response: httpx2.Response) -> Iterator[ServerEvent]:
    parser = EventParser()
    for chunk in response.iter_bytes():
        yield from parser.feed(chunk)
