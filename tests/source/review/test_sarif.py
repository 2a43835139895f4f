"""SARIF 2.1.0: what its readers need is there, and every reference points at something."""

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from supervisor.source.review import RULES, as_sarif
from tests.source.review.scripts import GOOD, judged, without

MIXED = without("RESOURCES:", put="x = input()").replace("BATCH_SIZE = 128", "BATCH_SIZE = 8")


@pytest.fixture
def run() -> Any:
    document = as_sarif(judged(MIXED), PurePosixPath("my scripts/train#1.py"), "1.2.3")
    assert json.loads(json.dumps(document)) == document
    assert (document["version"], len(document["runs"])) == ("2.1.0", 1)
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    return document["runs"][0]


def test_the_tool_says_its_name_its_version_and_its_rules(run: Any) -> None:
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("traind", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    for rule in driver["rules"]:
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}


def test_every_result_names_its_rule_level_and_place(run: Any) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert {item["ruleId"] for item in run["results"]} == {
        *("batch-size-small", "waits-for-input", "prints-resources"),
    }
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]


def test_regions_count_from_one_and_end_behind_the_last_character(run: Any) -> None:
    regions = {
        item["ruleId"]: item["locations"][0]["physicalLocation"].get("region") for item in run["results"]
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert regions["prints-resources"] is None
    line = MIXED.splitlines().index("BATCH_SIZE = 8") + 1
    assert regions["batch-size-small"] == {
        "startLine": line,
        "startColumn": 14,
        "endLine": line,
        "endColumn": 15,
    }


def test_names_are_written_as_addresses(run: Any) -> None:
    assert run["artifacts"][0]["location"]["uri"] == "my%20scripts/train%231.py"
    absolute = as_sarif(judged(GOOD), PurePosixPath("/data/ü.py"), "1")["runs"][0]
    assert absolute["artifacts"][0]["location"]["uri"] == "file:///data/%C3%BC.py"
    assert absolute["results"] == []
