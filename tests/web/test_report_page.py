"""The report as a page."""

from supervisor.domain.report import SamplePoint, build_report
from supervisor.domain.run import Run, RunSpec, RunState
from supervisor.web.report_page import report_page


def test_foreign_text_is_escaped_and_the_page_has_no_script() -> None:
    name = "<script>alert(1)</script>\x1b[31m\x00" + "n" * 10_000
    run = Run("r1", RunSpec('/j/"><img src=x>.py', "/j", "/p", name=name), 0.0, RunState.FAILED)
    page = report_page(build_report(run, [], [SamplePoint(1.0, 5, 10, 0.5)], 9.0))

    assert not [bad for bad in ("<script", "<img", "\x1b", "\x00", "n" * 300) if bad in page]
    assert page.count("<polyline") == 2
