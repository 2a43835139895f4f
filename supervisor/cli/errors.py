"""How commands fail, and with which exit code."""

RUN_FAILED = 1
USAGE = 2
NOT_FOUND = 3
TIMED_OUT = 124


class CommandError(Exception):
    """One line for a person, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
