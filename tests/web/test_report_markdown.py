"""The report as Markdown."""

from dataclasses import replace

import pytest

from supervisor.domain.checkpoint import Verdict, VerdictKind
from supervisor.domain.events import Event
from supervisor.domain.report import build_report
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, RunState, Stage
from supervisor.web.report_markdown import report_markdown
from tests.web.reports import ARTIFACT, FULL

SPEC = RunSpec("/jobs/train.py", "/jobs", "/usr/bin/python3")
RUN = Run("r1", SPEC, 90.0, RunState.FAILED)


@pytest.mark.parametrize(
    "line",
    [
        "# Run baseline",
        "- state: failed (artifact_missing)",
        "- relaunches: 1",
        "- launch to verdict: 1 min 01 s",
        "- launch to corrected run: 1 min 15 s",
        "- before, after: batch size 64, 128; memory 19%, 55%; busy 11%, 41%",
        r"- verdict: good, the run holds 13.20 GiB \(55%\): well used",
        "- budget: 4 min 59 s left of 15 min 00 s",
        "- reached: fold 5 of 5, epoch 10 of 10",
        "- folds done: 5",
        "| training 2 | 128 | 13.20 GiB | 55% | 41% | 57% | 8 min 05 s | completed | good |",
        "- artifact /jobs/submission.csv: is empty",
        "- try_larger: Memory is 55% full with a batch size of 128: try 160 to 192.",
    ],
)
def test_it_tells_every_figure_on_a_line_of_its_own(line: str) -> None:
    assert line in report_markdown(FULL).splitlines()


def test_foreign_text_cannot_leave_its_line_or_become_markup() -> None:
    name = "a|b`c`\n# x <script>\x1b[31m\x00[l](http://e)" + "n" * 10_000
    text = report_markdown(build_report(replace(RUN, spec=replace(SPEC, name=name)), [], [], 200.0))
    title = text.splitlines()[0]

    assert not [piece for piece in ("<script>", "\x1b", "\x00") if piece in text]
    assert "\\|b\\`c\\`" in title
    assert "\\[l\\]" in title
    assert len(title) < 400


def test_a_report_with_everything_and_many_attempts_and_artifacts_is_at_most_sixty_lines() -> None:
    verdict = Verdict(VerdictKind.GOOD, "well used", 1.0)
    attempts = [
        Attempt(Stage.TRAINING, n, n, (), AttemptOutcome.OUT_OF_MEMORY, verdict=verdict)
        for n in range(1, 200)
    ]
    events = [Event(1, 1.0, "artifacts_checked", None, {"artifacts": [ARTIFACT] * 100})]
    many = build_report(RUN, attempts, [], 200.0, events=events)
    most = replace(
        FULL, partial=True, attempts=many.attempts, artifacts=many.artifacts, advice=FULL.advice * 2
    )
    lines = report_markdown(most).splitlines()

    assert len(lines) <= 60
    assert "- and 85 more artifacts" in lines


def test_the_verdict_is_that_of_the_last_training_attempt_alone() -> None:
    first, second, last = FULL.attempts
    unjudged = replace(second, verdict=None, why=None)

    assert "- verdict" not in report_markdown(replace(FULL, attempts=(first, unjudged, last)))
