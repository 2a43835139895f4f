"""A review as SARIF 2.1.0, which editors and code hosts read. Pure."""

from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from supervisor.source.review.finding import Finding, Review, Severity
from supervisor.source.review.rule import Rule
from supervisor.source.review.rules import RULES

SARIF = "application/sarif+json"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDEX = {rule.id: index for index, rule in enumerate(RULES)}


def as_sarif(review: Review, script: PurePath, version: str) -> dict[str, Any]:
    """One run of the tool `traind` of that version over `script`, with all rules and the findings."""
    uri = script.as_uri() if script.is_absolute() else quote(script.as_posix())
    driver = {"name": "traind", "semanticVersion": version, "rules": [_descriptor(rule) for rule in RULES]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri}, "sourceLanguage": "python"}],
        "results": [_result(finding, uri) for finding in review.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary}: {rule.why}"},
        "help": {"text": f"Found where: {rule.looks_for}.\nFix: {rule.fix}.\nWhy: {rule.why}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, uri: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri, "index": 0}}
    if finding.line is not None:
        region = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
        place["region"] = {name: value for name, value in region.items() if value is not None}
    text = f"{finding.found}; expected {finding.expected}. Fix: {finding.fix}. Why: {finding.why}."
    return {
        "ruleId": finding.rule,
        "ruleIndex": _INDEX[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
