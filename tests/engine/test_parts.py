"""A daemon whose sampler or committer has ended does not supervise, and says so."""

import asyncio

import pytest
from structlog.testing import capture_logs

from supervisor.api.notify import ServiceManager
from supervisor.engine.committer import Committer
from tests.engine.conftest import OpenEngine


async def test_a_part_that_fails_is_logged_and_told(
    open_here: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Committer) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Committer, "run", fail)
    with capture_logs() as logs:
        async with open_here() as engine:
            async with asyncio.timeout(10):
                while not engine.parts.ended():
                    await asyncio.sleep(0)
            assert engine.parts.ended() == ["committer"]
    assert [(line["part"], line["log_level"]) for line in logs if "part" in line] == [("committer", "error")]


async def test_signs_of_life_end_with_a_part(open_here: OpenEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(ServiceManager, "tell", lambda _, *fields: told.append(fields))
    failing = asyncio.Event()

    async def fail(_: Committer) -> None:
        await failing.wait()
        raise RuntimeError("broken")

    monkeypatch.setattr(Committer, "run", fail)
    async with open_here() as engine, asyncio.timeout(10):
        report = asyncio.create_task(ServiceManager("/nowhere", 0.02).report(engine))
        while told.count(("WATCHDOG=1",)) < 3:
            await asyncio.sleep(0.01)
        failing.set()
        while not engine.parts.ended():
            await asyncio.sleep(0)
        lived = len(told)
        await asyncio.sleep(0.1)
        assert len(told) <= lived + 1
        report.cancel()
