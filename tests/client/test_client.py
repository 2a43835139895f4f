"""Both clients against a real daemon: calls, long waits and streams over its restart."""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from supervisor.client import ApiError, AsyncClient, Client, DaemonUnreachable
from tests.daemon import Daemon, eventually

COUNTING = """\
import pathlib, time
for number in range(400):
    print(f"line {number} ä", flush=True)
    time.sleep(0.005)
    while number == 200 and not pathlib.Path("finish").exists():
        time.sleep(0.01)
"""
LINES = "".join(f"line {number} ä\n" for number in range(400))
GROWING = """\
import time
BATCH_SIZE = 64
held = b"x" * (BATCH_SIZE * 2**20)
print(f"batch {BATCH_SIZE}")
print(f"GPU Memory Used: {(len(held) + 12 * 2**20) / 2**20:.0f} MB / 200 MB")
time.sleep(1 if BATCH_SIZE == 128 else 60)
"""


def restart(daemon: Daemon) -> None:
    daemon.kill()
    daemon.start()


def test_a_run_from_submission_to_its_end(found_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script("print('hello')")
    with Client() as client:
        made = client.submit(script=str(path), python=sys.executable, name="whole")
        ended = client.wait("whole", timeout_s=30)
        assert (ended["id"], ended["state"]) == (made["id"], "succeeded")
        assert client.get(made["id"])["exit_code"] == 0
        assert [item["outcome"] for item in client.attempts("whole")] == ["completed"]
        assert client.log("whole").data == b"hello\n"
        assert [piece.text for piece in client.follow_log("whole", through=True)] == ["hello\n"]
        events = list(client.follow_events("whole"))
        assert client.events("whole", limit=500)["items"] == events
        assert list(client.follow_events("whole", after=events[-2]["number"])) == events[-1:]
        assert made["id"] in [run["id"] for run in client.iter_runs(state=["succeeded"], page=1)]
        assert made["id"] in client.status()
        assert client.health()["status"] == "ok"


async def test_the_same_for_asyncio(found_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script("print('hello')")
    async with AsyncClient() as client:
        made = await client.submit(script=str(path), python=sys.executable, name="awaited")
        ended = await client.wait("awaited", timeout_s=30)
        assert (ended["id"], ended["state"]) == (made["id"], "succeeded")
        assert (await client.get(made["id"]))["exit_code"] == 0
        assert [item["outcome"] for item in await client.attempts("awaited")] == ["completed"]
        assert (await client.log("awaited")).data == b"hello\n"
        texts = [piece.text async for piece in client.follow_log("awaited", through=True)]
        assert texts == ["hello\n"]
        events = [event async for event in client.follow_events("awaited")]
        assert (await client.events("awaited", limit=500))["items"] == events
        assert made["id"] in [run["id"] async for run in client.iter_runs(page=1)]
        assert made["id"] in await client.status()
        assert (await client.health())["status"] == "ok"


def test_a_stop_ends_a_run(found_daemon: Daemon, script: Callable[..., Path]) -> None:
    with Client() as client:
        path = script("import time; time.sleep(60)")
        run = client.submit(script=str(path), python=sys.executable)["id"]
        client.wait(run, for_="running", timeout_s=30)
        client.stop(run, grace_s=0)
        assert client.wait(run, timeout_s=30)["state"] == "stopped"


def test_a_wait_that_times_out_says_so(found_daemon: Daemon, script: Callable[..., Path]) -> None:
    with Client() as client:
        path = script("import time; time.sleep(60)")
        run = client.submit(script=str(path), python=sys.executable)["id"]
        found = client.wait(run, timeout_s=0.1)
        assert found["wait"] is not None
        assert found["wait"]["outcome"] == "timeout"
        client.stop(run, grace_s=0)


def test_refusals_carry_their_problem(found_daemon: Daemon) -> None:
    with Client() as client:
        with pytest.raises(ApiError) as raised:
            client.get("nowhere")
        assert (raised.value.status, raised.value.code) == (404, "run_not_found")
        with pytest.raises(ApiError) as raised:
            client.submit(script="relative.py")
        assert raised.value.code == "script_not_absolute"
        with pytest.raises(ApiError):
            list(client.follow_log("nowhere"))
    with Client(str(found_daemon.http.base_url), "wrong") as client, pytest.raises(ApiError) as raised:
        client.runs()
    assert raised.value.status == 401


async def test_refusals_reach_asyncio_too(found_daemon: Daemon) -> None:
    async with AsyncClient() as client:
        with pytest.raises(ApiError, match="nowhere"):
            await client.wait("nowhere", timeout_s=1)


# The library leaves the socket of a failed connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nobody_there_is_told_at_once() -> None:
    said = "start one with `traind serve`"
    with Client("http://127.0.0.1:9") as client, pytest.raises(DaemonUnreachable, match=said):
        client.wait("latest", timeout_s=60)
    with Client("unix:/nonexistent.sock") as client, pytest.raises(DaemonUnreachable, match="nonexistent"):
        client.status()
    with Client("ftp://x") as client, pytest.raises(DaemonUnreachable, match="is no address"):
        client.status()


def test_a_wait_and_both_streams_go_on_over_a_killed_daemon(
    own_daemon: Daemon, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(COUNTING)
    with Client() as client, ThreadPoolExecutor(3) as pool:
        run = client.submit(script=str(path), python=sys.executable, cwd=str(tmp_path))["id"]
        client.wait(run, for_="running", timeout_s=30)
        waiting = pool.submit(_fresh, lambda other: other.wait(run, timeout_s=60))
        events = pool.submit(_fresh, lambda other: list(other.follow_events(run)))
        log = pool.submit(_fresh, lambda other: list(other.follow_log(run, offset=0, through=True)))
        eventually(lambda: b"line 200 " in client.log(run).data)
        restart(own_daemon)
        (tmp_path / "finish").touch()
        assert waiting.result(60)["state"] == "succeeded"
        assert "".join(piece.text for piece in log.result(60)) == LINES
        numbers = [event["number"] for event in events.result(60)]
    assert numbers == [event["number"] for event in own_daemon.events(run)]


async def test_for_asyncio_too_streams_go_on_over_a_killed_daemon(
    own_daemon: Daemon, script: Callable[..., Path], tmp_path: Path
) -> None:
    path = script(COUNTING)
    async with AsyncClient() as client:
        run = (await client.submit(script=str(path), python=sys.executable, cwd=str(tmp_path)))["id"]
        await client.wait(run, for_="running", timeout_s=30)

        async def read_log() -> str:
            return "".join([piece.text async for piece in client.follow_log(run, offset=0)])

        async def read_events() -> list[int]:
            return [event["number"] async for event in client.follow_events(run)]

        tasks = [asyncio.create_task(read_log()), asyncio.create_task(read_events())]
        waiting = asyncio.create_task(client.wait(run, timeout_s=60))
        while b"line 200 " not in (await client.log(run)).data:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(restart, own_daemon)
        (tmp_path / "finish").touch()
        text, numbers = await asyncio.gather(*tasks)
        assert (await waiting)["state"] == "succeeded"
    assert text == LINES
    assert numbers == [event["number"] for event in own_daemon.events(run)]


def test_a_followed_log_goes_on_through_a_relaunch_and_the_follow_up(
    found_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(GROWING)
    predict = script("print('predicted')", "predict.py")
    with Client() as client:
        run = client.submit(
            script=str(path),
            python=sys.executable,
            checkpoint={"after_s": 0.5, "retry_s": 0.1},
            follow_up={"script": str(predict)},
        )["id"]
        pieces = list(client.follow_log(run, through=True))
    told = [(piece.stage, piece.attempt) for piece in pieces]
    assert sorted(set(told), key=told.index) == [("training", 1), ("training", 2), ("follow_up", 1)]
    text = "".join(piece.text for piece in pieces)
    assert [line for line in text.splitlines() if "GPU" not in line] == ["batch 64", "batch 128", "predicted"]


def test_a_submission_whose_connection_broke_is_sent_again_under_the_same_key() -> None:
    keys: list[str] = []
    body = json.dumps({"id": "abc"}).encode()
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
    problem = b'{"code": "submission_under_way", "retryable": true}'
    busy = (
        b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(problem) + problem
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for reply in (b"", busy, answer):
                connection, _ = listener.accept()
                with connection:
                    head = connection.recv(65536).decode().lower()
                    keys.append(head.partition("idempotency-key: ")[2].partition("\r\n")[0])
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert client.submit(script="/train.py")["id"] == "abc"
        thread.join()
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


def test_a_daemon_that_stays_away_ends_a_stream_with_its_patience(
    own_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script("import time; time.sleep(60)")
    with Client(patience_s=0.5) as client:
        run = client.submit(script=str(path), python=sys.executable)["id"]
        client.wait(run, for_="running", timeout_s=30)
        events = client.follow_events(run)
        next(events)
        own_daemon.kill()
        try:
            with pytest.raises(DaemonUnreachable):
                list(events)
        finally:
            own_daemon.start()


def _fresh(call: Callable[[Client], Any]) -> Any:
    with Client() as client:
        return call(client)
