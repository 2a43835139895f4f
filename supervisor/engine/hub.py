"""Tells those who wait that a run has changed.

Level-triggered: a waiter names the version that it has seen, and is woken when there is a newer one.
What changed is read from where it is kept, so a slow reader loses nothing and holds up nobody.
"""

import asyncio
from collections import defaultdict


class Hub:
    """One version counter a run; `changed` raises it, `wait_beyond` waits for it.

    `news` is set at any change of any run, for the one who looks at all of them, and is cleared by him.
    """

    def __init__(self) -> None:
        self._versions: defaultdict[str, int] = defaultdict(int)
        self._waiters: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self.closing = asyncio.Event()
        self.news = asyncio.Event()

    def version(self, run_id: str) -> int:
        return self._versions.get(run_id, 0)

    def changed(self, run_id: str) -> None:
        self._versions[run_id] += 1
        self.news.set()
        self._wake(self._waiters.pop(run_id, set()))

    def close(self) -> None:
        """Wake everyone: the daemon is going down."""
        self.closing.set()
        self.news.set()
        for waiters in self._waiters.values():
            self._wake(waiters)
        self._waiters.clear()

    async def wait_beyond(self, run_id: str, version: int, timeout_s: float) -> bool:
        """Wait until the run is newer than `version`; False after `timeout_s` or at the daemon's end."""
        if self.version(run_id) > version:
            return True
        if self.closing.is_set():
            return False
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[run_id].add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            waiters = self._waiters.get(run_id)
            if waiters is not None:
                waiters.discard(waiter)
        return self.version(run_id) > version

    @staticmethod
    def _wake(waiters: set[asyncio.Future[None]]) -> None:
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
