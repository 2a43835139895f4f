"""The client's types say what the daemon's OpenAPI document says."""

import types
import typing
from typing import Any

import pytest

from supervisor.client import models
from tests.daemon import Daemon

NAMES = {
    "Memory": "MemoryView",
    "Progress": "ProgressView",
    "Verdict": "VerdictView",
    "Next": "NextView",
    "Wait": "WaitView",
    "Budget": "BudgetView",
    "Run": "RunView",
    "BriefRun": "BriefRunView",
    "RunList": "RunList",
    "Attempt": "AttemptView",
    "Event": "EventView",
    "EventList": "EventList",
    "Sample": "SampleView",
    "DeviceProcess": "DeviceProcessView",
    "Device": "DeviceView",
    "Finding": "FindingView",
    "Review": "ReviewView",
    "Health": "HealthView",
    "Ready": "ReadyView",
    "Restored": "RestoredView",
    "Launch": "LaunchView",
    "AttemptReport": "AttemptReportView",
    "ArtifactReport": "ArtifactView",
    "Advice": "AdviceView",
    "Report": "ReportView",
    "Problem": "Problem",
    "FollowUp": "FollowUpOptions",
    "Artifact": "ArtifactOptions",
    "Checkpoint": "CheckpointOptions",
    "Sizing": "SizingOptions",
    "Submission": "Submission",
}
# In what is sent, the client leaves a field out where the document also takes null.
SENT = ("FollowUp", "Artifact", "Checkpoint", "Sizing", "Submission", "Problem")


@pytest.fixture(scope="module")
def schemas(host_daemon: Daemon) -> Any:
    return host_daemon.http.get("/v1/openapi.json").json()["components"]["schemas"]


def kinds(schema: Any, definitions: Any) -> set[str]:
    """The JSON types that a property of the document may have."""
    if "$ref" in schema:
        return kinds(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        return set().union(*(kinds(item, definitions) for item in schema["anyOf"]))
    return {str(schema["type"])}


def kinds_of(hint: Any) -> set[str]:
    """The JSON types that a type of the client's stands for."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.NotRequired:
        return kinds_of(inner[0])
    if origin in {typing.Union, types.UnionType}:
        return set().union(*(kinds_of(item) for item in inner))
    if origin is typing.Literal:
        return {"string"}
    return {_JSON[origin or hint]} if (origin or hint) in _JSON else {"object"}


_JSON = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    types.NoneType: "null",
}


def test_every_type_of_the_client_is_held_against_the_document() -> None:
    typed = {name for name, value in vars(models).items() if hasattr(value, "__required_keys__")}
    unheld = {name for name in typed if name not in NAMES}
    # A list and its page are alike everywhere; each is held by its items.
    assert not {name for name in unheld if not name.endswith("List")}


@pytest.mark.parametrize("name", NAMES)
def test_type_has_the_fields_of_the_document(name: str, schemas: Any) -> None:
    ours = typing.get_type_hints(getattr(models, name), include_extras=True)
    theirs = schemas[NAMES[name]]["properties"]
    assert ours.keys() == theirs.keys()
    for field, schema in theirs.items():
        expected = kinds(schema, schemas)
        assert kinds_of(ours[field]) == (expected - {"null"} if name in SENT else expected), field
