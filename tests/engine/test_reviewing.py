"""The review at a submission: an event, a refusal where asked for, and never anything else."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.domain.review import ReviewMode
from supervisor.engine import reviewing
from supervisor.engine.submission import Submission, SubmissionError
from supervisor.source.review import Review
from tests.engine.conftest import OpenEngine
from tests.engine.runs import ended

# It trains with nothing, so that it runs anywhere: the kind is given.
SMALL = "BATCH_SIZE = 8\n"
WHOLE = """\
import signal
try:
    import lightgbm
except ImportError:
    pass
BATCH_SIZE = 4096
"""


async def events_of(open_here: OpenEngine, **body: Any) -> list[Any]:
    async with open_here() as engine:
        run = await engine.submit(Submission(**body))
        await ended(engine, run.id)
        return await engine.events(run.id, 0, 500)


async def test_findings_are_the_event_after_the_submission(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    events = await events_of(open_here, script=str(script(SMALL)), kind="image")
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events[:3]] == ["run_queued", "script_reviewed", "run_starting"]
    data = events[1].data
    assert (data["passed"], data["kind"]) == (False, "image")
    assert [item["rule"] for item in data["findings"]] == ["batch-size-small"]


async def test_warnings_are_told_of_a_script_that_passes(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    events = await events_of(open_here, script=str(script(WHOLE)))
    data = next(event.data for event in events if event.type == "script_reviewed")
    assert (data["passed"], data["kind"]) == (True, "tabular")
    assert {item["severity"] for item in data["findings"]} == {"warning"}


@pytest.mark.parametrize(
    "body", [{"review": "off", "kind": "image"}, {}, {"kind": "text", "args": ["--batch-size", "64"]}]
)
async def test_without_findings_or_without_a_review_there_is_no_event(
    open_here: OpenEngine, script: Callable[..., Path], body: dict[str, Any]
) -> None:
    events = await events_of(open_here, script=str(script(SMALL)), **body)
    assert "script_reviewed" not in [event.type for event in events]


async def test_an_enforced_review_refuses_a_script_that_fails_and_leaves_no_run(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    path = script(SMALL)
    async with open_here() as engine:
        with pytest.raises(SubmissionError) as caught:
            await engine.submit(Submission(script=str(path), kind="image", review="enforce"))
        assert await engine.runs() == []
    assert caught.value.code == "review_rejected"
    assert f"{path} fails its review: batch-size-small on line 1: batch size 8" in str(caught.value)
    assert "set BATCH_SIZE to 128" in str(caught.value)
    assert [item["line"] for item in caught.value.findings] == [1]


async def test_an_enforced_review_takes_a_script_that_passes(
    open_here: OpenEngine, script: Callable[..., Path]
) -> None:
    async with open_here() as engine:
        run = await engine.submit(Submission(script=str(script(WHOLE)), review="enforce"))
        assert (await ended(engine, run.id)).spec.review is ReviewMode.ENFORCE


@pytest.mark.parametrize("mode", ["warn", "enforce"])
async def test_a_review_that_raises_is_left_out(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def broken(*_: object) -> Review:
        raise ZeroDivisionError

    monkeypatch.setattr(reviewing, "review_file", broken)
    events = await events_of(open_here, script=str(script(SMALL)), kind="image", review=mode)
    assert events[-1].type == "run_ended"
    assert "script_reviewed" not in [event.type for event in events]


async def test_a_review_that_takes_long_is_left_out(
    open_here: OpenEngine, script: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> Review:
        time.sleep(0.5)
        raise AssertionError

    monkeypatch.setattr(reviewing, "review_file", slow)
    monkeypatch.setitem(reviewing._TIMEOUT_S, ReviewMode.WARN, 0.01)
    events = await events_of(open_here, script=str(script(SMALL)), kind="image")
    assert "script_reviewed" not in [event.type for event in events]


async def test_what_the_scripts_own_interpreter_accepts_is_not_refused_for_ours(
    open_here: OpenEngine, script: Callable[..., Path], tmp_path: Path
) -> None:
    # Stands for an interpreter of another version, whose word on the syntax counts.
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    async with open_here() as engine:
        body = {"script": str(script("print 'old'\n")), "python": str(python), "review": "enforce"}
        run = await engine.submit(Submission(**body))
        await ended(engine, run.id)
        events = await engine.events(run.id, 0, 500)
    data = next(event.data for event in events if event.type == "script_reviewed")
    assert (data["passed"], data["findings"][0]["rule"]) == (True, "not-parsed")


async def test_at_most_50_findings_are_told(open_here: OpenEngine, script: Callable[..., Path]) -> None:
    loaders = "if 0 > 1:\n    import torch\n" + "".join(f"    x{n} = DataLoader(d)\n" for n in range(40))
    events = await events_of(open_here, script=str(script(loaders)))
    data = next(event.data for event in events if event.type == "script_reviewed")
    assert len(data["findings"]) == 50
