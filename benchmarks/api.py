"""The control API at fifty live runs: requests a second beside a bare FastAPI route, and event latency."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from benchmarks.common import bench_daemon, middle, table
from tests.daemon import Daemon, eventually

_RUNS = 50
_ROUNDS = 7
_ROUND_S = 2.0
_CONNECTIONS = 8
_STREAM_S = 20.0
_SCRIPT = """\
import time
for epoch in range(1, 2000):
    print(f"Fold 1/5, Epoch {epoch}/2000, Loss: {time.time():.6f}")
    time.sleep(1)
"""
# What FastAPI and uvicorn cost by themselves, set up as they come.
_BARE = """\
import sys, fastapi, uvicorn
app = fastapi.FastAPI()

@app.get("/")
async def bare() -> dict[str, str]:
    return {"status": "ok"}

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, ws="none")
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A route to be asked, as the bytes of a request."""

    port: int
    request: bytes


def main() -> None:
    with bench_daemon() as (daemon, folder), _bare_server() as bare_port:
        script = folder / "train.py"
        script.write_text(_SCRIPT)
        ids = [str(daemon.submit(script)["id"]) for _ in range(_RUNS)]
        eventually(lambda: all(daemon.get(run_id)["progress"] for run_id in ids))
        targets = _targets(daemon, ids[0], bare_port)
        rates = {name: _Rates() for name in targets}
        for _ in range(_ROUNDS):
            for name, target in targets.items():
                rates[name].add(asyncio.run(_load(target)))
        latencies = sorted(asyncio.run(_latencies(daemon, ids)))
    bare = rates["bare"]
    rows = [(f"a bare FastAPI route: requests a second, median of {_ROUNDS}", f"{bare.rate:.0f}", "")]
    rows.append(("  99th percentile", f"{bare.p99 * 1e3:.1f} ms", ""))
    for name in ("GET /v1/runs/{id}", "the same, view=brief", "GET /status"):
        ratio = middle([own / other for own, other in zip(rates[name].all, bare.all, strict=True)])
        rows.append((f"{name}: requests a second", f"{rates[name].rate:.0f}", ""))
        rows.append(("  over the bare route, round by round", f"{ratio:.2f} x", ">= 0.5 x"))
        rows.append(("  99th percentile", f"{rates[name].p99 * 1e3:.1f} ms", ""))
    count = len(latencies)
    rows.append((f"printed line to streaming client, median of {count}", _ms(latencies, 0.5), "< 20 ms"))
    rows.append(("  99th percentile", _ms(latencies, 0.99), "< 100 ms"))
    table(f"the API with {_RUNS} live runs, a line a second each, {_CONNECTIONS} connections", rows)


class _Rates:
    """Requests a second of each round, and every answer's time."""

    def __init__(self) -> None:
        self.all: list[float] = []
        self._times: list[float] = []

    def add(self, times: list[float]) -> None:
        self.all.append(len(times) / _ROUND_S)
        self._times += times

    @property
    def rate(self) -> float:
        return middle(self.all)

    @property
    def p99(self) -> float:
        return sorted(self._times)[int(len(self._times) * 0.99)]


@contextmanager
def _bare_server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with subprocess.Popen([sys.executable, "-c", _BARE, str(port)]) as process:
        try:
            eventually(lambda: _answers(port))
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _targets(daemon: Daemon, run_id: str, bare_port: int) -> dict[str, Target]:
    port = int(daemon.http.base_url.port or 0)
    header = (daemon.state_dir / "auth.header").read_text().strip()

    def target(to: int, path: str) -> Target:
        return Target(to, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())

    return {
        "bare": target(bare_port, "/"),
        "GET /v1/runs/{id}": target(port, f"/v1/runs/{run_id}"),
        "the same, view=brief": target(port, f"/v1/runs/{run_id}?view=brief"),
        "GET /status": target(port, "/status"),
    }


async def _load(target: Target) -> list[float]:
    """The time of each answer on some connections for the length of a round."""
    until = time.perf_counter() + _ROUND_S
    found = await asyncio.gather(*(_ask(target, until) for _ in range(_CONNECTIONS)))
    return [took for times in found for took in times]


async def _ask(target: Target, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    times = []
    while (began := time.perf_counter()) < until:
        writer.write(target.request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        times.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()
    return times


async def _latencies(daemon: Daemon, ids: list[str]) -> list[float]:
    """From each printed line to its event at a client that follows every run."""
    limits = httpx2.Limits(max_connections=len(ids))
    headers = {**daemon.http.headers, "accept": "text/event-stream"}
    base = daemon.http.base_url
    async with httpx2.AsyncClient(
        base_url=base, headers=headers, limits=limits, timeout=None, trust_env=False
    ) as http:
        found = await asyncio.gather(*(_follow(http, run_id) for run_id in ids))
    return [latency for latencies in found for latency in latencies]


async def _follow(http: httpx2.AsyncClient, run_id: str) -> list[float]:
    page = (await http.get(f"/v1/runs/{run_id}", headers={"accept": "application/json"})).json()
    began = time.time()
    latencies: list[float] = []
    async with http.stream("GET", f"{page['links']['events']}") as stream:
        async for line in stream.aiter_lines():
            now = time.time()
            if now - began > _STREAM_S:
                return latencies
            if line.startswith("data: ") and '"type":"progress"' in line:
                printed = json.loads(line[6:])["data"]["loss"]
                if printed > began:
                    latencies.append(now - printed)
    return latencies


def _ms(latencies: list[float], share: float) -> str:
    return f"{latencies[int(len(latencies) * share)] * 1e3:.1f} ms"


if __name__ == "__main__":
    main()
