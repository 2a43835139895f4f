"""The report as Markdown."""

from dataclasses import replace

from supervisor.domain.report import build_report
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, RunState, Stage
from supervisor.web.report_markdown import report_markdown

SPEC = RunSpec("/jobs/train.py", "/jobs", "/usr/bin/python3")
RUN = Run("r1", SPEC, 90.0, RunState.FAILED)


def test_foreign_text_cannot_leave_its_line_or_become_markup() -> None:
    name = "a|b`c`\n# x <script>\x1b[31m\x00[l](http://e)" + "n" * 10_000
    text = report_markdown(build_report(replace(RUN, spec=replace(SPEC, name=name)), [], [], 200.0))
    title = text.splitlines()[0]

    assert not [piece for piece in ("<script>", "\x1b", "\x00") if piece in text]
    assert "\\|b\\`c\\`" in title
    assert "\\[l\\]" in title
    assert len(title) < 400


def test_many_attempts_still_make_at_most_sixty_lines() -> None:
    attempts = [Attempt(Stage.TRAINING, n, n, (), AttemptOutcome.FAILED) for n in range(1, 200)]

    assert len(report_markdown(build_report(RUN, attempts, [], 200.0)).splitlines()) <= 60
