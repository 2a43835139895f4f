"""Waiting on a run's changes: by what the waiter has seen, not by when it came."""

import asyncio

from supervisor.engine.hub import Hub


async def test_a_change_before_the_wait_ends_it_at_once() -> None:
    hub = Hub()
    seen = hub.version("a")
    hub.changed("a")
    assert await hub.wait_beyond("a", seen, 0)


async def test_a_change_wakes_all_who_wait_on_that_run_and_nobody_else() -> None:
    hub = Hub()
    waits = [asyncio.ensure_future(hub.wait_beyond(name, 0, 30)) for name in ("a", "a", "b")]
    await asyncio.sleep(0)
    hub.changed("a")
    assert await asyncio.gather(*waits[:2]) == [True, True]
    assert not waits[2].done()
    hub.close()
    assert not await waits[2]


async def test_a_wait_is_bounded_and_leaves_nothing_behind() -> None:
    hub = Hub()
    assert not await hub.wait_beyond("a", 0, 0.01)
    assert not any(hub._waiters.values())


async def test_a_wait_that_is_given_up_leaves_nothing_behind() -> None:
    hub = Hub()
    wait = asyncio.ensure_future(hub.wait_beyond("a", 0, 30))
    await asyncio.sleep(0)
    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)
    assert not any(hub._waiters.values())
    hub.changed("a")


async def test_after_the_end_nobody_waits() -> None:
    hub = Hub()
    hub.close()
    assert not await hub.wait_beyond("a", 0, 30)
