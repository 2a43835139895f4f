"""The report of a real run over HTTP, in each of its forms."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from supervisor.api.app import create_app
from supervisor.api.guard import Gate
from supervisor.engine.submission import Submission
from supervisor.web.report_page import CONTENT_SECURITY_POLICY
from tests.engine.conftest import OpenEngine, open_here
from tests.engine.runs import ended

__all__ = ["open_here"]  # a fixture

SCRIPT = "import time\nprint('Fold 2/2, Epoch 3/3, Loss: 0.5', flush=True)\ntime.sleep(0.3)\n"
URL = "/v1/runs/first/report"


@pytest.fixture
async def http(
    open_here: OpenEngine,
    script: Callable[..., Path],
) -> AsyncIterator[httpx2.AsyncClient]:
    """An API whose one run, `first`, has ended."""
    body = Submission(
        script=str(script(SCRIPT)),
        name="first",
        args=("--token", "hush"),
        env={"API_KEY": "hush"},
        budget_s=300,
        checkpoint={"after_s": 30},
    )
    async with open_here() as engine:
        await ended(engine, (await engine.submit(body)).id)
        transport = httpx2.ASGITransport(create_app(engine, Gate("secret", "", ("traind",))))
        headers = {"Authorization": "Bearer secret"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://traind", headers=headers
        ) as client:
            yield client


async def test_the_report_is_json_for_programs(http: httpx2.AsyncClient) -> None:
    answer = await http.get(URL)
    told = answer.json()

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (told["state"], told["partial"], told["folds_done"], told["artifacts"]) == (
        "succeeded",
        False,
        2,
        [],
    )
    assert told["budget"]["total_s"] == 300
    assert 0 < told["budget"]["remaining_s"] < 300
    assert told["launch"]["args"] == ["--token", "***"]
    assert told["attempts"][0]["peak"] > 0
    assert [advice["code"] for advice in told["advice"]] == ["ended_early"]


async def test_the_report_is_markdown_for_agents(http: httpx2.AsyncClient) -> None:
    answer = await http.get(URL, headers={"Accept": "text/markdown"})

    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith("# Run first\n")


async def test_the_report_is_a_page_for_people_under_its_policy(http: httpx2.AsyncClient) -> None:
    answer = await http.get(URL, headers={"Accept": "text/html"})

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.text.count("<figure>") == 2
    assert "hush" not in answer.text
