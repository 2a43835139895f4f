"""The review of a script over HTTP: JSON for programs, SARIF for editors, and what cannot be read."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from supervisor.api.app import create_app
from supervisor.api.guard import Gate
from tests.engine.conftest import OpenEngine, open_here

__all__ = ["open_here"]  # a fixture

SMALL = "import torchvision\nBATCH_SIZE = 8\nloader = DataLoader(train_set, batch_size=BATCH_SIZE)\n"
URL = "/v1/reviews"
SARIF = "application/sarif+json"


@pytest.fixture
async def http(open_here: OpenEngine) -> AsyncIterator[httpx2.AsyncClient]:
    async with open_here() as engine:
        transport = httpx2.ASGITransport(create_app(engine, Gate("secret", "", ("traind",))))
        headers = {"Authorization": "Bearer secret"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://traind", headers=headers
        ) as client:
            yield client


async def test_the_review_is_json_with_each_finding_marked(
    http: httpx2.AsyncClient, script: Callable[..., Path]
) -> None:
    path = script(SMALL)
    answer = await http.post(URL, json={"script": str(path)})
    found = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, found["script"], found["passed"]) == (200, str(path), False)
    assert (found["kind"], found["kind_evidence"]) == ("image", ["import of torchvision on line 1"])
    first = found["findings"][0]
    assert [first[name] for name in ("rule", "line", "column", "end_line", "end_column")] == [
        *("batch-size-small", 2, 14, 2, 15),
    ]


async def test_the_review_is_sarif_for_editors(http: httpx2.AsyncClient, script: Callable[..., Path]) -> None:
    path = script(SMALL)
    answer = await http.post(URL, json={"script": str(path)}, headers={"Accept": SARIF})
    assert answer.headers["content-type"] == SARIF
    run = answer.json()["runs"][0]
    assert run["artifacts"][0]["location"]["uri"] == path.as_uri()
    assert run["results"][0]["ruleId"] == "batch-size-small"


async def test_the_kind_and_the_arguments_that_are_given_decide(
    http: httpx2.AsyncClient, script: Callable[..., Path]
) -> None:
    body = {"script": str(script(SMALL)), "kind": "text", "args": ["--batch-size", "64"]}
    answer = await http.post(URL, json=body)
    assert (answer.json()["kind"], answer.json()["kind_evidence"]) == ("text", ["given"])


async def test_what_is_no_script_is_a_problem_and_what_is_no_python_a_finding(
    http: httpx2.AsyncClient, script: Callable[..., Path], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing.py", "."):
        answer = await http.post(URL, json={"script": str(tmp_path / name)})
        assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[-1]) == (404, "script_not_readable")
    notebook = script('{"cells": [], "nbformat": 4}', "train.ipynb")
    found = (await http.post(URL, json={"script": str(notebook)})).json()
    assert [item["found"] for item in found["findings"]] == ["it is a notebook, not a script"]
