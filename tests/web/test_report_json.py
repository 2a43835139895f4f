"""The report as JSON."""

import json

from supervisor.domain.report import build_report
from supervisor.domain.run import Attempt, AttemptOutcome, Run, RunSpec, RunState, Stage
from supervisor.web.report_json import report_dict


def test_the_report_is_plain_json_with_times_in_utc_and_secrets_masked() -> None:
    spec = RunSpec("/j/t.py", "/j", "/usr/bin/python3", env={"API_KEY": "hush", "LANG": "C"})
    attempt = Attempt(Stage.TRAINING, 1, 64, (), AttemptOutcome.COMPLETED, started_at=0.0, ended_at=60.0)
    run = Run("r1", spec, 0.0, RunState.SUCCEEDED)
    told = json.loads(json.dumps(report_dict(build_report(run, [attempt], [], 200.0))))

    assert told["created_at"] == "1970-01-01T00:00:00Z"
    assert told["launch"]["env"] == {"API_KEY": "***", "LANG": "C"}
    assert told["attempts"][0]["seconds"] == 60.0
