"""compose.yaml: valid YAML, and each key that makes it safe and useful."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.dockerfile import read

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture
def service(compose: Any) -> Any:
    return compose["services"]["traind"]


def test_build_names_a_stage_and_arguments_of_the_dockerfile(service: Any) -> None:
    build = service["build"]
    file = read(ROOT / build["dockerfile"])
    declared = {name for stage in file.stages.values() for each in stage.all("ARG") for name in each.pairs()}
    assert build["target"] in file.stages
    assert set(build["args"]) <= declared


def test_port_is_published_to_this_machine_alone(service: Any) -> None:
    assert service["ports"] == ["127.0.0.1:${TRAIND_PORT:-8724}:8724"]
    assert "network_mode" not in service


def test_token_is_a_secret_and_no_variable(compose: Any, service: Any) -> None:
    assert service["secrets"] == ["token"]  # /run/secrets/token, which CREDENTIALS_DIRECTORY leads to
    assert set(compose["secrets"]["token"]) == {"file"}
    assert "TRAIND_TOKEN" not in service.get("environment", {})


def test_gpus_are_reserved(service: Any) -> None:
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}


def test_state_is_a_named_volume_where_the_image_has_it(compose: Any, service: Any) -> None:
    volumes = dict(each.rsplit(":", 1) for each in service["volumes"])
    (volume,) = read(ROOT / "Dockerfile.cuda").stages["supervisor"].all("VOLUME")
    assert volumes["state"] == volume.value
    assert "state" in compose["volumes"]


def test_health_check_is_that_of_the_image(service: Any) -> None:
    (check,) = read(ROOT / "Dockerfile.cuda").stages["supervisor"].all("HEALTHCHECK")
    given = service["healthcheck"]
    assert given["test"] == ["CMD", *json.loads(check.value.removeprefix("CMD "))]
    flags = {name.replace("-", "_"): value for name, value in check.flags}
    assert {name: str(value) for name, value in given.items() if name != "test"} == flags


def test_daemon_has_more_time_to_end_than_it_takes(service: Any) -> None:
    assert int(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1]) > 2  # type: ignore[index]
    assert service["restart"] == "unless-stopped"


def test_workers_get_shared_memory_and_no_privilege(service: Any) -> None:
    assert service["shm_size"] == "${TRAIND_SHM:-8gb}"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
