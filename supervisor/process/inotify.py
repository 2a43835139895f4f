"""The kernel's word that a file has changed: a thin layer over inotify.

Fifty runs that print a line a second each are fifty wake-ups a second, of which a library that builds
objects and registers a reader for each event spent a quarter of the daemon's time. This keeps one reader
registered and unpacks eight bytes.
"""

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable

_MODIFY = 0x2
_ONESHOT = 0x80000000
_Q_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name behind it
_READ_BYTES = 64 * 1024


class Inotify:
    """One inotify instance, the kernel allows a user only 128, with one-shot watches on descriptors."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify cannot be had; raise fs.inotify.max_user_instances")
        self._waiting: dict[int, list[Callable[[], None]]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._on_ready)

    def once(self, descriptor: int, wake: Callable[[], None]) -> None:
        """Call `wake` at the file's next change; raises `OSError` where it cannot be watched.

        The open file is watched and not its name: what becomes of the name does not matter.
        """
        path = f"/proc/self/fd/{descriptor}".encode()
        watch = self._libc.inotify_add_watch(self._descriptor, path, _MODIFY | _ONESHOT)
        if watch < 0:
            raise OSError(ctypes.get_errno(), "a log cannot be watched; raise fs.inotify.max_user_watches")
        # The kernel gives all who watch one file the same watch.
        self._waiting.setdefault(watch, []).append(wake)

    def forget(self, wake: Callable[[], None]) -> None:
        """Drop every watch that would call `wake`."""
        for watch, waiting in list(self._waiting.items()):
            if wake in waiting:
                waiting.remove(wake)
                if not waiting:
                    del self._waiting[watch]
                    self._libc.inotify_rm_watch(self._descriptor, watch)

    def close(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _on_ready(self) -> None:
        data = os.read(self._descriptor, _READ_BYTES)
        position = 0
        while position < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, position)
            position += _EVENT.size + length
            if mask & _Q_OVERFLOW:
                # What was dropped is not known: everyone looks for himself.
                for lost in list(self._waiting):
                    self._wake(lost)
            else:
                # IN_IGNORED wakes too. A one-shot watch is destroyed after its event is queued: a watch set
                # between the two is the dying one under the same number, and this is the last it tells.
                self._wake(watch)

    def _wake(self, watch: int) -> None:
        for wake in self._waiting.pop(watch, ()):
            wake()
