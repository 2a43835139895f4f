"""Python's garbage collector, kept from walking a syntax tree again and again while it grows."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_paused = 0


@contextmanager
def no_collecting() -> Iterator[None]:
    """Pause the collector: a tree holds no cycles, and looking for them takes as long as parsing it.

    Several threads may be inside at once; the last one out switches the collector on again.
    """
    global _paused  # noqa: PLW0603 - the collector is one for the whole process, and so is its count
    with _lock:
        pauses = _paused > 0 or gc.isenabled()
        _paused += pauses
        if pauses:
            gc.disable()
    try:
        yield
    finally:
        if pauses:
            with _lock:
                _paused -= 1
                if _paused == 0:
                    gc.enable()
