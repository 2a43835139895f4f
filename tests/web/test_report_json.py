"""The report as JSON."""

import json
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from supervisor.api.reports import ReportView
from supervisor.domain.progress import Observed
from supervisor.domain.report import build_report
from supervisor.web.report_json import report_dict
from tests.web.reports import FULL, RUN


def strict(model: type[BaseModel], value: Any) -> dict[str, Any]:
    return model.model_validate(value).model_dump(mode="json")


def test_a_full_report_is_what_the_schema_says_with_nothing_left_over() -> None:
    told = report_dict(FULL)

    assert strict(ReportView, told) == json.loads(json.dumps(told))
    assert None not in [value for name, value in told.items() if name != "partial"]


def test_the_report_is_plain_json_with_times_in_utc_and_secrets_masked() -> None:
    told = json.loads(json.dumps(report_dict(FULL)))

    assert told["created_at"] == "1970-01-01T00:01:39Z"
    assert told["launch"]["env"] == {"API_KEY": "***", "LANG": "C"}
    assert told["launch"]["args"] == ["--epochs", "10", "--api-key", "***"]
    assert "hush" not in json.dumps(told)
    assert told["attempts"][0]["seconds"] == 68.0


def test_budget_and_artifacts_are_told_where_there_are_any() -> None:
    unseen = replace(RUN, observed=Observed())
    told, bare = report_dict(FULL), report_dict(build_report(unseen, [], [], 800.0))

    assert told["budget"] == {
        "total_s": 900.0,
        "deadline": "1970-01-01T00:16:39Z",
        "remaining_s": 299.0,
        "reserve_s": 60.0,
    }
    assert [item["problem"] for item in told["artifacts"]] == ["is empty"]
    assert (bare["budget"], bare["progress"], bare["artifacts"], bare["attempts"]) == (None, None, [], [])
    assert strict(ReportView, bare) == json.loads(json.dumps(bare))
