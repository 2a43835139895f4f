"""Looking at runs: entity tags, sizes of answers, cursors, samples, devices, figures for machines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from supervisor.api.schemas import RUN_EXAMPLE, BriefRunView
from tests.api.answers import problem
from tests.daemon import Daemon, eventually

TRAINING = """\
import pathlib, time
print("Fold 1/5, Epoch 2/10, Loss: 0.5")
deadline = time.monotonic() + 60
while not pathlib.Path("finish").exists() and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def ended(host_daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ended") / "train.py"
    path.write_text("print('Fold 1/1, Epoch 1/1, loss: 0.5')")
    run_id = str(host_daemon.submit(path, name="e" * 64)["id"])
    host_daemon.wait(run_id)
    return f"/v1/runs/{run_id}"


def test_run_that_is_as_it_was_is_not_sent_again(http: httpx2.Client, ended: str) -> None:
    tag = http.get(ended).headers["etag"]
    for sent in (tag, f'"other", {tag}', "*"):
        again = http.get(ended, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert http.get(ended, headers={"If-None-Match": '"other"'}).status_code == 200


def test_run_that_has_changed_has_another_tag(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script(TRAINING)
    url = f"/v1/runs/{host_daemon.submit(path)['id']}"
    host_daemon.event(url.rsplit("/", 1)[1], "progress")
    before = host_daemon.http.get(url).headers["etag"]
    (path.parent / "finish").touch()
    host_daemon.wait(url.rsplit("/", 1)[1])
    assert host_daemon.http.get(url, headers={"If-None-Match": before}).status_code == 200


def test_run_fits_in_2500_bytes_and_its_brief_view_in_400(http: httpx2.Client, ended: str) -> None:
    assert len(http.get(ended).content) <= 2500
    brief = http.get(ended, params={"view": "brief"})
    assert len(brief.content) <= 400
    assert brief.json()["state"] == "succeeded"
    waited = http.get(ended, params={"view": "brief", "wait_for": "finished"})
    assert waited.json()["wait"] == "reached"


def test_even_the_longest_brief_view_fits() -> None:
    longest = BriefRunView(
        id="f" * 12,
        name="n" * 64,
        state="succeeded",
        phase="relaunching",
        reason="device_unavailable",
        attempt=1000,
        batch_size=2**31 - 1,
        fraction=0.123,
        verdict="no_evidence",
        eta_s=2_592_000.0,
        wait="stopping",
        next=f"/v1/runs/{'f' * 12}?wait_for=checkpoint",
    )
    assert len(longest.model_dump_json()) <= 400
    assert len(json.dumps(RUN_EXAMPLE)) <= 2500


def test_every_answer_says_what_next(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script(TRAINING)
    run = host_daemon.submit(path)
    assert run["next"]["url"].endswith("?wait_for=checkpoint")
    host_daemon.wait(run["id"], "running")
    live = host_daemon.get(run["id"])["next"]
    assert 0 < live["in_s"] <= 60
    (path.parent / "finish").touch()
    waited = host_daemon.wait(run["id"])
    assert waited["wait"]["next"] == waited["next"]["url"] == f"/v1/runs/{run['id']}/report"
    assert host_daemon.http.get(waited["next"]["url"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"wait_for": "rain"}, 422, "validation_failed"),
        ({"wait_for": "finished", "timeout_s": 591}, 422, "validation_failed"),
        ({"wait_for": "finished", "timeout_s": -1}, 422, "validation_failed"),
        ({"wait_for": "finished", "timeout_s": "nan"}, 422, "validation_failed"),
        ({"view": "tiny"}, 422, "validation_failed"),
    ],
)
def test_wait_that_cannot_be_made_says_what_to_send(
    http: httpx2.Client, ended: str, query: dict[str, Any], status: int, code: str
) -> None:
    problem(http.get(ended, params=query), status, code)


def test_cursor_fits_its_own_list_alone(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    http = host_daemon.http
    run_id = host_daemon.submit(script("pass"))["id"]
    host_daemon.wait(run_id)
    host_daemon.wait(host_daemon.submit(script("pass"))["id"])
    runs = http.get("/v1/runs", params={"limit": 1}).json()["next_cursor"]
    events = http.get(f"/v1/runs/{run_id}/events", params={"limit": 1}).json()["next_cursor"]
    assert http.get(f"/v1/runs/{run_id}/events", params={"cursor": events}).json()["items"][0]["number"] == 2
    foreign = [
        ("/v1/runs", {"cursor": events}),
        ("/v1/runs", {"cursor": runs, "state": "failed"}),
        (f"/v1/runs/{run_id}/events", {"cursor": runs}),
        ("/v1/runs/latest/events", {"cursor": events}),
        ("/v1/runs", {"cursor": "bm8"}),
        ("/v1/runs", {"cursor": "ÿ"}),
    ]
    for url, query in foreign:
        problem(http.get(url, params=query), 404, "bad_cursor")
    both = {"cursor": events, "after": 1}
    problem(http.get(f"/v1/runs/{run_id}/events", params=both), 409, "contradictory")


def test_event_that_has_not_happened_cannot_be_gone_on_from(http: httpx2.Client, ended: str) -> None:
    last = http.get(f"{ended}/events").json()["items"][-1]["number"]
    assert http.get(f"{ended}/events", params={"after": last}).json()["items"] == []
    assert str(last) in problem(
        http.get(f"{ended}/events", params={"after": last + 1}), 409, "after_in_future"
    )
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last + 1)}
    problem(http.get(f"{ended}/events", headers=headers), 409, "after_in_future")
    problem(http.get(f"{ended}/events", params={"after": 10**40}), 422, "validation_failed")


def test_one_attempt_is_had_by_its_number(http: httpx2.Client, ended: str) -> None:
    assert http.get(f"{ended}/attempts/1").json() == http.get(f"{ended}/attempts").json()["items"][0]
    problem(http.get(f"{ended}/attempts/2"), 404, "attempt_not_found")
    problem(http.get(f"{ended}/attempts/1?stage=follow_up"), 404, "attempt_not_found")
    problem(http.get(f"{ended}/attempts/0"), 422, "validation_failed")
    problem(http.get(f"{ended}/attempts/x"), 422, "validation_failed")


def test_samples_and_devices_show_the_use_of_a_live_run(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    path = script(TRAINING)
    run_id = str(host_daemon.submit(path)["id"])
    http = host_daemon.http
    samples = eventually(
        lambda: [
            item
            for item in http.get(f"/v1/runs/{run_id}/samples").json()["items"]
            if item["used"] is not None
        ]
    )
    device = eventually(
        lambda: next(
            (item for item in http.get("/v1/devices").json()["items"] if run_id in item["holders"]), None
        )
    )
    text = http.get("/metrics").text
    (path.parent / "finish").touch()
    host_daemon.wait(run_id)
    assert samples[0]["attempt"] == 1
    assert 0 < samples[0]["fraction"] < 1
    assert (device["id"], device["kind"], device["total"]) == ("host", "host", 200 * 2**20)
    figures = {family.name: family.samples for family in text_string_to_metric_families(text)}
    running = [item.value for item in figures["traind_runs"] if item.labels == {"state": "running"}]
    assert running[0] >= 1
    assert figures["traind_device_memory_total_bytes"][0].value == 200 * 2**20
    assert len(http.get(f"/v1/runs/{run_id}/samples", params={"points": 1}).json()["items"]) == 1
    assert http.get(f"/v1/runs/{run_id}/samples", params={"attempt": 9}).json()["items"] == []
    problem(http.get(f"/v1/runs/{run_id}/samples", params={"points": 0}), 422, "validation_failed")


def test_status_as_json_names_the_next_call(host_daemon: Daemon, ended: str) -> None:
    found = host_daemon.http.get("/status", headers={"Accept": "application/json"}).json()
    assert {"live", "items", "next"} == found.keys()
    assert found["next"].startswith("/v1/runs")
