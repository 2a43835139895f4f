"""A disk that hangs: what looks into it can be killed by nobody."""

import ctypes
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path


class HungDisk:
    """A file system that never answers: who looks into it sleeps uninterruptibly, until it is let go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if self._libc.mount(b"hung", bytes(path), b"fuse", 0, options.encode()) != 0:
            os.close(self._device)
            raise OSError(ctypes.get_errno(), "fuse cannot be mounted")
        request = os.read(self._device, 1 << 17)
        unique = struct.unpack_from("IIQ", request)[2]
        answer = struct.pack("IIIIHHIIHHI", 7, 31, 1 << 16, 0, 12, 10, 1 << 16, 1, 0, 0, 0) + bytes(28)
        os.write(self._device, struct.pack("IiQ", 16 + len(answer), 0, unique) + answer)
        # A request that nobody has read could still be broken off: it is read, and not answered.
        self.asked = threading.Event()
        threading.Thread(target=self._swallow, daemon=True).start()

    def _swallow(self) -> None:
        with suppress(OSError):
            while os.read(self._device, 1 << 17):
                self.asked.set()

    def let_go(self) -> None:
        if self._device < 0:
            return
        for how in (1, 2):  # MNT_FORCE breaks every request off, MNT_DETACH takes what is still in use
            self._libc.umount2(bytes(self.path), how)
        os.close(self._device)
        self._device = -1
