"""The report as a page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from supervisor.domain.report import SamplePoint, build_report
from supervisor.domain.run import Run, RunSpec, RunState
from supervisor.web.report_page import CONTENT_SECURITY_POLICY, report_page
from tests.web.reports import FULL, RUN, SPEC


class Page(HTMLParser):
    """A page's text and the tags and attributes that it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.pieces: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in {"meta", "line", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.pieces.append(data)


@pytest.mark.parametrize(
    "told",
    [
        "baseline",
        "failed (artifact missing)",
        "/jobs/submission.csv is empty",
        "--api-key ***",
        "launch to verdict 1 min 01 s",
        "launch to corrected run 1 min 15 s",
        "relaunches 1",
        "fold reached 5 of 5",
        "folds done 5",
        "epoch reached 10 of 10",
        "budget left 4 min 59 s of 15 min 00 s",
        "batch size 64 128",
        "of device 19% 55%",
        "busy, mean 11% 41%",
        "busy, peak 16% 57%",
        "attempt 1: underused: the run holds 4.50 GiB (19%): under 50%",
        "attempt 2: good: the run holds 13.20 GiB (55%): well used",
        "superseded (underused memory)",
        "try 160 to 192",
        "Its processes kept 2.0 CPU cores busy. The script printed num_workers=2",
        "max 90%",
        "min 50%",
        "#2: attempt 2, launched after 1 min 15 s with batch size 128; F: follow-up",
        "is empty",
    ],
)
def test_the_page_tells_every_figure(told: str) -> None:
    assert told in Page(report_page(FULL)).text


def test_foreign_text_is_escaped_and_the_page_has_no_script() -> None:
    name = "<script>alert(1)</script>\x1b[31m\x00" + "n" * 10_000
    spec = RunSpec('/j/"><img src=x>.py', "/j", "/p", name=name, args=("<b>",))
    run = Run("r1", spec, 0.0, RunState.FAILED, detail="<i>")
    page = report_page(build_report(run, [], [SamplePoint(1.0, 5, 10, 0.5)], 9.0))

    assert not [bad for bad in ("<script", "<img", "<b>", "<i>", "\x1b", "\x00", "n" * 300) if bad in page]
    assert page.count("<polyline") == 2


def test_the_page_needs_nothing_that_its_policy_forbids() -> None:
    page = Page(report_page(FULL))

    assert not page.tags & {"script", "link", "img", "iframe", "form", "object", "base", "a", "font"}
    assert not [
        name for name in page.attributes if name.startswith("on") or name in {"src", "href", "action"}
    ]
    assert not re.search(r"url\(|@import|https?:", report_page(FULL))
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "script-src" not in CONTENT_SECURITY_POLICY


def test_every_element_is_closed() -> None:
    assert Page(report_page(FULL)).open == []


def test_secrets_are_masked() -> None:
    assert "hush" not in report_page(FULL)


def test_the_bounds_drawn_are_the_run_s_own() -> None:
    checkpoint = replace(SPEC.checkpoint, min_fraction=0.3, max_fraction=0.8)
    run = replace(RUN, spec=replace(SPEC, checkpoint=checkpoint))
    text = Page(report_page(replace(FULL, run=run))).text

    assert "max 80%" in text
    assert "min 30%" in text


def test_a_run_that_has_not_been_launched_has_a_page_without_figures() -> None:
    text = Page(report_page(build_report(replace(RUN, state=RunState.QUEUED), [], [], 800.0))).text

    assert "this report is partial" in text
    assert "None was launched." in text
    assert "No samples." in text
    assert "Advice" not in text
    assert "Before and after" not in text


def test_a_sentence_with_every_figure_is_shown_whole() -> None:
    why = "the device's figure decides, " * 12
    attempts = (replace(FULL.attempts[0], why=why),)

    assert why.strip() in Page(report_page(replace(FULL, attempts=attempts))).text
