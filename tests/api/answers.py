"""Reading the API's answers in tests: problems, and streams that end by themselves."""

import json
from typing import Any

import httpx2


def problem(answer: httpx2.Response, status: int, code: str) -> Any:
    """The detail of a refusal, which must be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"urn:traind:problem:{code}"
    assert body["code"] == code
    assert body["status"] == status
    assert body["detail"]
    return body["detail"]


def stream(
    http: httpx2.Client, path: str, headers: dict[str, str] | None = None
) -> list[tuple[str, str, Any]]:
    """All events of a stream that ends by itself: (type, id, data)."""
    found, fields = [], {}
    with http.stream("GET", path, headers={"Accept": "text/event-stream", **(headers or {})}) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
                fields = {}
    return found
