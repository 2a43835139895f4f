"""`python -m tests.faults.bomb PLACE before|after N ARGS…`: traind, dying at the N-th passage of a point."""

import functools
import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from supervisor.cli import main
from tests.faults.points import Point


def arm(point: Point, passages: int) -> None:
    """Make this process kill itself at the point, once it has come by so often."""
    module, _, path = point.place.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    plain = inspect.getattr_static(owner, name)
    fuse = _Fuse(passages)
    function = plain.__func__ if isinstance(plain, classmethod) else plain
    armed = _armed(function, fuse, after=point.after)
    setattr(owner, name, classmethod(armed) if isinstance(plain, classmethod) else armed)


class _Fuse:
    def __init__(self, passages: int) -> None:
        self._left = passages

    def burn(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _armed(function: Callable[..., Any], fuse: _Fuse, *, after: bool) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def waiting(*args: Any, **kwargs: Any) -> Any:
            if not after:
                fuse.burn()
            result = await function(*args, **kwargs)
            if after:
                fuse.burn()
            return result

        return waiting

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if not after:
            fuse.burn()
        result = function(*args, **kwargs)
        if after:
            fuse.burn()
        return result

    return plain


if __name__ == "__main__":
    place, when, passages = sys.argv[1:4]
    del sys.argv[1:4]
    arm(Point(place, after=when == "after"), int(passages))
    main()
