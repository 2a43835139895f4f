"""Bounds the requests that are held open: waits and streams."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from supervisor.api.problems import ProblemError

MOST_HELD = 2000  # each costs a socket and some kilobytes


class Held:
    """Counts held requests; raises `ProblemError` for one too many."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self.count = 0

    def check(self) -> None:
        """Raise where no more can be held."""
        if self.count >= self._most:
            detail = f"{self._most} waits and streams are open, which is all; close some, or do not wait"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too_many_held", detail, retryable=True)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one request open for as long as the block lasts."""
        self.check()
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
