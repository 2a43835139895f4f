"""Waits and streams held open: many of them, the daemon's end, and what each is told."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import psutil
import pytest

from supervisor.api.held import Held
from supervisor.api.problems import ProblemError
from tests.daemon import LIMIT_S, Daemon, running_daemon

WAITING = """\
import pathlib, time
print("Fold 1/5, Epoch 2/10, Loss: 0.5")
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""
MANY = 500


def client(daemon: Daemon) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=2 * MANY)
    return httpx2.AsyncClient(
        base_url=daemon.http.base_url,
        headers=daemon.http.headers,
        limits=limits,
        timeout=LIMIT_S,
        trust_env=False,
    )


async def held(daemon: Daemon, count: int) -> None:
    """Until the daemon holds so many requests."""
    async with client(daemon) as http:
        async with asyncio.timeout(LIMIT_S):
            while f"traind_held_requests {float(count)}" not in (await http.get("/metrics")).text:
                await asyncio.sleep(0.05)


@pytest.mark.alone
async def test_500_waits_cost_memory_alone_and_all_end_with_the_run(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    run_id = host_daemon.submit(path)["id"]
    host_daemon.event(run_id, "progress")
    process = psutil.Process(host_daemon.process.pid)
    before = process.memory_info().rss
    async with client(host_daemon) as http:
        url = f"/v1/runs/{run_id}?wait_for=finished&timeout_s=60&view=brief"
        waits = [asyncio.create_task(http.get(url)) for _ in range(MANY)]
        await held(host_daemon, MANY)
        cpu = sum(process.cpu_times()[:2])
        began = time.monotonic()
        looked = 0
        while time.monotonic() - began < 2:
            await http.get("/healthz")
            looked += 1
            await asyncio.sleep(0.1)
        busy = (sum(process.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
        grown = process.memory_info().rss - before
        (path.parent / "finish").touch()
        answers = await asyncio.gather(*waits)
    assert {answer.json()["wait"] for answer in answers} == {"reached"}
    assert grown < 60e6
    assert busy < 0.25
    assert looked >= 10


@pytest.mark.alone
async def test_sigterm_ends_the_daemon_within_2_s_and_each_is_told(
    tmp_path: Path, script: Callable[..., Path]
) -> None:
    path = script(WAITING)
    with running_daemon(tmp_path / "state", "--device", "host") as daemon:
        run_id = daemon.submit(path)["id"]
        daemon.event(run_id, "progress")
        base = f"/v1/runs/{run_id}"
        async with client(daemon) as http:
            wait = asyncio.create_task(http.get(f"{base}?wait_for=finished&timeout_s=60"))
            events = asyncio.create_task(http.get(f"{base}/events", headers={"Accept": "text/event-stream"}))
            log = asyncio.create_task(http.get(f"{base}/log?follow=true"))
            more = [asyncio.create_task(http.get(f"{base}?wait_for=checkpoint")) for _ in range(50)]
            deaf = await asyncio.open_connection(http.base_url.host, http.base_url.port)
            header = (daemon.state_dir / "auth.header").read_text().strip()
            deaf[1].write(
                f"GET {base}/log?follow=true HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
            )
            await held(daemon, 54)
            began = time.monotonic()
            os.kill(daemon.process.pid, signal.SIGTERM)
            answers = await asyncio.gather(wait, events, log, *more)
            code = await asyncio.to_thread(daemon.process.wait, 10)
            took = time.monotonic() - began
            deaf[1].close()
        assert code == 0
        assert took < 2
        told = answers[0].json()["wait"]
        assert told == {"outcome": "stopping", "next": f"{base}?wait_for=finished"}
        assert '"reason": "stopping"' in answers[1].text
        assert "event: end" in answers[1].text
        assert '"reason": "stopping"' in answers[2].text
        assert {answer.json()["wait"]["outcome"] for answer in answers[3:]} == {"stopping"}
        daemon.http.close()
        daemon.start()
        (path.parent / "finish").touch()
        assert daemon.wait(run_id)["state"] == "succeeded"


def test_one_too_many_is_refused_and_may_come_again() -> None:
    held = Held(1)
    with held.one():
        with pytest.raises(ProblemError, match="close some") as refused:
            held.check()
        assert refused.value.retryable
    held.check()


def test_silent_stream_is_kept_alive() -> None:
    from supervisor.api.streams import with_keepalive

    async def silent() -> "asyncio.AsyncIterator[bytes]":
        await asyncio.sleep(0.05)
        yield b"event"

    async def collect() -> list[bytes]:
        return [piece async for piece in with_keepalive(silent(), 0.01)]

    pieces = asyncio.run(collect())
    assert pieces[0].startswith(b":")
    assert pieces[-1] == b"event"
