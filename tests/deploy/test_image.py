"""What Dockerfile.cuda does, done without an engine: each RUN, and a container of what came out."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from tests.daemon import eventually
from tests.deploy.dockerfile import read
from tests.deploy.lab import Container, Lab, LabUnavailableError, open_lab

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-this-test-alone"  # noqa: S105 - it opens nothing
ENDLESS = (
    "import time\nBATCH_SIZE = 64\nprint('Fold 1/2, Epoch 1/3, Loss: 0.9', flush=True)\ntime.sleep(600)\n"
)
# Any free port, for several of these may run on one machine; the token as `docker run -e` gives it.
ENV = {"TRAIND_PORT": "0", "TRAIND_DEVICE": "host", "TRAIND_TOKEN": TOKEN}

pytestmark = [
    pytest.mark.workload,
    pytest.mark.long,
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The image of the last stage, and of the stage with PyTorch with a small package in its place."""
    _need_packages(tmp_path_factory.mktemp("download"))
    try:
        with open_lab(tmp_path_factory.mktemp("image"), ROOT / ".cache" / "image-pip") as lab:
            if not lab.reaches_packages():
                pytest.skip("apt-get update fails here: no package index can be reached")
            lab.build(read(ROOT / "Dockerfile.cuda"), ROOT, "with-torch", {"PACKAGES": "numpy"})
            yield lab
    except LabUnavailableError as why:
        pytest.skip(f"an image cannot be put together here: {why}")


@pytest.fixture
def container(image: Lab, tmp_path: Path) -> Iterator[Container]:
    with image.container(tmp_path / "container.log", **ENV) as container:
        _until_ready(image, container, tmp_path / "container.log")
        yield container


def test_user_of_the_image_is_not_root_and_owns_its_state(image: Lab) -> None:
    assert image.config.user == "1000:1000"
    found = image.enter(["stat", "-c", "%u:%g %a", f"{image.root}/var/lib/traind", f"{image.root}/data"])
    assert found.stdout.split("\n")[:2] == ["1000:1000 700", "1000:1000 755"]
    assert "traind:x:1000:" in image.read("/etc/passwd")


def test_no_cache_of_pip_or_apt_stays_behind(image: Lab) -> None:
    assert image.left_behind("/opt/traind/bin")
    assert image.left_behind("/root/.cache", "/var/lib/apt", "/var/cache/apt") == []


def test_packages_of_scripts_are_apart_from_those_of_traind(image: Lab) -> None:
    def can_import(python: str, module: str) -> bool:
        done = image.enter(image.inside([python, "-c", f"import {module}"], {}), check=False)
        return done.returncode == 0

    assert can_import("python", "numpy")
    assert not can_import("python", "supervisor")
    assert can_import("/opt/traind/bin/python", "supervisor")
    assert not can_import("/opt/traind/bin/python", "numpy")


def test_health_check_follows_the_daemon(image: Lab, container: Container) -> None:
    assert container.exec(*image.config.healthcheck).returncode == 0
    daemon = _daemon(container)
    daemon.suspend()
    assert container.exec(*image.config.healthcheck).returncode == 1
    daemon.resume()
    assert container.exec(*image.config.healthcheck).returncode == 0


def test_api_answers_with_the_token_that_was_given(image: Lab, container: Container) -> None:
    port = urlsplit(json.loads(image.read("/var/lib/traind/daemon.json"))["url"]).port
    url = f"http://127.0.0.1:{port}"
    good = httpx2.get(f"{url}/v1/runs", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)
    assert (good.status_code, httpx2.get(f"{url}/v1/runs", trust_env=False).status_code) == (200, 401)


def test_token_is_read_from_the_secret_that_compose_mounts(image: Lab, tmp_path: Path) -> None:
    image.write("/run/secrets/token", TOKEN, mode="0400")
    log = tmp_path / "container.log"
    with image.container(log, TRAIND_PORT="0", TRAIND_DEVICE="host") as container:
        _until_ready(image, container, log)
        assert image.read("/var/lib/traind/token").strip() == TOKEN
    image.enter(["rm", f"{image.root}/run/secrets/token"])


def test_container_without_a_token_refuses_to_start_and_says_what_to_set(image: Lab, tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    with image.container(log, TRAIND_PORT="0") as container:
        assert container.wait() == 1
    assert "set TRAIND_TOKEN" in log.read_text()


def test_run_is_launched_with_the_interpreter_of_the_scripts(image: Lab, container: Container) -> None:
    image.write(
        "/data/train.py", "import numpy, os, sys\nprint(sys.executable, os.getuid(), numpy.ones(2).sum())\n"
    )
    done = container.exec("traind", "submit", "--wait", "finished", "/data/train.py")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "/opt/training/bin/python 1000 2.0" in container.exec("traind", "logs").stdout


def test_stop_of_the_container_ends_daemon_and_training_and_the_next_one_records_the_run_as_lost(
    image: Lab, tmp_path: Path
) -> None:
    image.write("/data/endless.py", ENDLESS)
    log = tmp_path / "container.log"
    with image.container(log, **ENV) as container:
        _until_ready(image, container, log)
        submitted = container.exec("traind", "submit", "--wait", "running", "/data/endless.py")
        assert submitted.returncode == 0, submitted.stderr
        run = submitted.stdout.split()[0]
        eventually(lambda: "Epoch 1/3" in container.exec("traind", "logs", run).stdout)
        processes = container.processes()
        assert len(processes) >= 4  # tini, the daemon, the shim, the training
        code = container.stop()
        assert code == 0, log.read_text()
        eventually(lambda: not any(each.is_running() for each in processes))
    with image.container(log, **ENV) as container:
        _until_ready(image, container, log)
        found = json.loads(container.exec("traind", "status", run, "--json").stdout)
        assert (found["state"], found["attempts"][-1]["outcome"]) == ("lost", "lost")
        assert "Epoch 1/3" in container.exec("traind", "logs", run).stdout


def test_runs_that_are_stopped_before_the_container_end_as_stopped(image: Lab, container: Container) -> None:
    image.write("/data/endless.py", ENDLESS)
    run = container.exec("traind", "submit", "--wait", "running", "/data/endless.py").stdout.split()[0]
    assert (
        container.exec(
            "sh", "-c", "traind ps | awk 'NR > 1 { print $1 }' | xargs -r -n1 traind stop"
        ).returncode
        == 0
    )
    container.exec("traind", "wait", run)
    found = json.loads(container.exec("traind", "status", run, "--json").stdout)
    assert (found["state"], found["reason"]) == ("stopped", "user_request")


def _until_ready(image: Lab, container: Container, log: Path) -> None:
    def ready() -> bool:
        assert container.first.is_running(), log.read_text()
        return container.exec(*image.config.healthcheck).returncode == 0

    eventually(ready)


def _daemon(container: Container) -> psutil.Process:
    (daemon,) = container.first.children()
    return daemon


def _need_packages(folder: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
        "editables",
    ]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("pip cannot download here: PyPI cannot be reached")
