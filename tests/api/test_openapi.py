"""The OpenAPI document: true to the daemon by Schemathesis, fit for clients, and true in its examples."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from supervisor.api.schemas import RunView
from supervisor.engine.submission import Submission
from tests.daemon import Daemon, running_daemon

CONFIG = Path(__file__).with_name("schemathesis.toml")
GENERATOR = Path(__file__).parents[2] / ".venv-generator" / "bin"
METHODS = ("get", "post")


@pytest.fixture
def document(http: httpx2.Client) -> Any:
    return http.get("/v1/openapi.json").json()


@pytest.fixture
def fenced_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that can launch nothing but one script, whatever it is sent."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "train.py").write_text("print('Fold 1/1, Epoch 1/1, loss: 0.5')")
    env = {"TRAIND_ALLOWED_ROOTS": json.dumps([str(root)])}
    with running_daemon(tmp_path / "state", "--device", "host", env=env) as daemon:
        yield daemon


@pytest.mark.long
@pytest.mark.timeout(400)
def test_daemon_keeps_what_its_document_promises_whatever_it_is_sent(
    fenced_daemon: Daemon, tmp_path: Path
) -> None:
    run_id = fenced_daemon.submit(tmp_path / "root" / "train.py", name="example")["id"]
    fenced_daemon.wait(run_id)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"),
        f"{fenced_daemon.http.base_url}/v1/openapi.json",
        *("--header", (fenced_daemon.state_dir / "auth.header").read_text().strip()),
        *("--checks", "all", "--no-color", "--request-timeout", "30", "--generation-database", "none"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert "Tested: " in done.stdout
    assert '"status":500' not in fenced_daemon.log.read_text()
    assert "a request failed" not in fenced_daemon.log.read_text()


def test_every_operation_is_named_told_and_typed(document: Any) -> None:
    names = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert method in METHODS, path
            names.append(operation["operationId"])
            assert operation["description"], path
            assert operation["tags"], path
            for parameter in operation.get("parameters", ()):
                assert "anyOf" not in parameter["schema"], (path, parameter["name"])
            problem = operation["responses"]["default"]["content"]
            assert list(problem) == ["application/problem+json"]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and name.islower() for name in names)
    assert {"submit_run", "get_run", "relaunch_run", "get_report", "review_script"} <= set(names)


def test_example_of_a_run_is_a_run_and_that_of_a_submission_is_one() -> None:
    schema = RunView.model_json_schema()
    for example in schema["examples"]:
        assert RunView.model_validate(example).model_dump(mode="json").keys() == example.keys()
    script = Submission.model_json_schema()["properties"]["script"]["examples"][0]
    assert Submission.model_validate({"script": script}).script == script


def test_run_that_is_served_fits_the_schema_of_its_example(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    run = host_daemon.wait(host_daemon.submit(script("pass"), budget_s=3600)["id"])
    served = RunView.model_validate(run)
    assert served.model_dump(mode="json", exclude={"links"}).keys() == run.keys() - {"links"}
    assert RunView.model_json_schema()["examples"][0].keys() == run.keys()


def test_allow_names_every_method_of_a_path(http: httpx2.Client) -> None:
    answer = http.request("DELETE", "/v1/runs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert "send GET, POST" in answer.json()["detail"]
    assert http.request("PUT", "/v1/runs/latest/stop").headers["allow"] == "POST"


def test_generated_client_builds_and_drives_a_run(
    host_daemon: Daemon, script: Callable[..., Path], tmp_path: Path
) -> None:
    if not GENERATOR.is_dir():
        pytest.skip("the generator is not installed; `make test` installs it")
    (tmp_path / "openapi.json").write_text(host_daemon.http.get("/v1/openapi.json").text)
    made = subprocess.run(
        [
            str(GENERATOR / "openapi-python-client"),
            "generate",
            "--path",
            "openapi.json",
            "--output-path",
            "made",
            "--meta",
            "none",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr, made.stdout + made.stderr
    token = (host_daemon.state_dir / "token").read_text().strip()
    path = script("print('Fold 1/1, Epoch 1/1, loss: 0.5')")
    drive = f"""
from made import AuthenticatedClient
from made.api.runs import get_run, submit_run
from made.api.log import read_log
from made.models import Submission, RunView, WaitFor

client = AuthenticatedClient(base_url={str(host_daemon.http.base_url)!r}, token={token!r})
made = submit_run.sync(client=client, body=Submission(script={str(path)!r}))
assert isinstance(made, RunView), made
found = get_run.sync(made.id, client=client, wait_for=WaitFor.FINISHED, timeout_s=30)
assert isinstance(found, RunView), found
log = read_log.sync_detailed(made.id, client=client)
print(found.state, log.content.decode().strip())
"""
    done = subprocess.run(
        [str(GENERATOR / "python"), "-c", drive],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "succeeded Fold 1/1, Epoch 1/1, loss: 0.5"
