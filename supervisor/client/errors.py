"""How calls fail: the daemon said no, or the daemon could not be reached."""

from typing import Any


class ClientError(Exception):
    """What every error of this package is."""


class DaemonUnreachable(ClientError):  # noqa: N818 - it names a state of the world
    """No answer came; the message says from where and what to do."""


class ApiError(ClientError):
    """The daemon refused. `code` is stable, `detail` says what to send instead.

    `retryable` tells whether the same call may succeed later; `problem` is the whole document.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, retryable: bool, problem: dict[str, Any]
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.problem = problem
