"""Fixtures that tests share: the stand-in library, real daemons, scripts."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.daemon import Daemon, running_daemon
from tests.hungdisk import HungDisk
from tests.nvml_standin import Standin, build, load

# What an example takes says more of a shared machine than of the code: no deadline.
settings.register_profile("traind", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("traind")


@pytest.fixture(scope="session")
def standin_library() -> Path:
    return build(Path(".cache").absolute())


@pytest.fixture
def gpu(standin_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """The stand-in library as this process' own NVML."""
    standin = Standin(tmp_path / "nvml", standin_library)
    monkeypatch.setenv("NVML_STANDIN_DIR", str(standin.directory))
    load(standin_library)
    return standin


@pytest.fixture(scope="module")
def standin(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Standin:
    return Standin(tmp_path_factory.mktemp("nvml"), standin_library)


@pytest.fixture(scope="module")
def gpu_daemon(standin: Standin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that sees one stand-in GPU and samples it often."""
    env = {**standin.environment(), "TRAIND_SAMPLE_EVERY_S": "0.05"}
    with running_daemon(tmp_path_factory.mktemp("gpu") / "state", "--device", "nvml", env=env) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def host_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that measures host memory."""
    env = {"TRAIND_SAMPLE_EVERY_S": "0.05"}
    options = ("--device", "host", "--host-capacity", "200MiB")
    with running_daemon(tmp_path_factory.mktemp("host") / "state", *options, env=env) as daemon:
        yield daemon


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    """Writes a script; its text is dedented."""

    def write(text: str, name: str = "train.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def hung_disk(tmp_path: Path) -> Iterator[HungDisk]:
    path = tmp_path / "hung"
    path.mkdir()
    try:
        disk = HungDisk(path)
    except OSError as error:
        pytest.skip(f"no file system can be made to hang here: {error}")
    try:
        yield disk
    finally:
        disk.let_go()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: the others run beside them, and none is waited for alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
