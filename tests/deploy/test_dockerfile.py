"""Dockerfile.cuda as text: what the linter says, and what must hold for every image made from it."""

import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Dockerfile, expand, read

ROOT = Path(__file__).parents[2]
PATH = ROOT / "Dockerfile.cuda"
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"


@pytest.fixture
def file() -> Dockerfile:
    return read(PATH)


def test_linter_has_nothing_to_say() -> None:
    done = subprocess.run([HADOLINT, PATH], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_exception_from_the_linter_has_its_reason_beside_it() -> None:
    for line in PATH.read_text().splitlines():
        if "hadolint" in line:
            assert re.fullmatch(r"# hadolint ignore=DL\d+ # \w.{20,}", line), line


def test_base_image_is_pinned_to_the_cuda_of_torch(file: Dockerfile) -> None:
    assert expand(file.stages["base"].base, file.arguments) == "nvidia/cuda:13.0.3-runtime-ubuntu24.04"
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


def test_last_stage_is_traind_alone(file: Dockerfile) -> None:
    assert list(file.stages)[-1] == "traind"
    assert "training-torch" not in {stage.name for stage in file.needed("traind")}
    assert "training-torch" in {stage.name for stage in file.needed("with-torch")}


@pytest.mark.parametrize("target", ["traind", "with-torch"])
def test_image_runs_the_daemon_under_an_init_as_another_user_than_root(file: Dockerfile, target: str) -> None:
    final = [each for stage in file.lineage(target) for each in stage.instructions]
    last = {each.keyword: each for each in final}
    assert last["ENTRYPOINT"].words() == ["/usr/bin/tini", "--", "traind"]  # no -g: training gets no signal
    assert last["CMD"].words() == ["serve"]
    assert last["USER"].value == "${UID}:${GID}"
    assert last["VOLUME"].value == "/var/lib/traind"
    assert last["HEALTHCHECK"].value == 'CMD ["traind", "status"]'


def test_sources_come_after_the_dependencies(file: Dockerfile) -> None:
    steps = [(each.keyword, each.value) for each in file.stages["build"].instructions]
    dependencies = next(at for at, (_, value) in enumerate(steps) if "--requirement" in value)
    sources = next(
        at for at, (keyword, value) in enumerate(steps) if keyword == "COPY" and "supervisor" in value
    )
    assert dependencies < sources


def test_each_command_that_downloads_has_its_cache_mounted(file: Dockerfile) -> None:
    commands = [each for stage in file.stages.values() for each in stage.all("RUN")]
    downloads = [each for each in commands if "pip install" in each.value or "apt-get install" in each.value]
    assert len(downloads) >= 4
    assert all("type=cache" in mount for each in downloads for mount in each.flag("mount") or [""])


def test_ignore_file_lets_through_what_is_copied_and_nothing_else(file: Dockerfile) -> None:
    copies = [each for stage in file.stages.values() for each in stage.all("COPY") if not each.flag("from")]
    copied = {source for each in copies for source in each.words()[:-1]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert "*" in lines
    assert all((ROOT / source).exists() for source in copied)


def test_label_has_the_version_of_the_project(file: Dockerfile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    arguments = {k: v for each in file.stages["supervisor"].all("ARG") for k, v in each.pairs().items()}
    (label,) = file.stages["supervisor"].all("LABEL")
    labels = {name: expand(value, arguments) for name, value in label.pairs().items()}
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]


def test_reader_joins_lines_takes_flags_and_leaves_out_comments(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        "# a comment\nARG TAG=1\nFROM image:${TAG} AS one\n"
        "RUN --mount=type=cache,target=/a --network=none \\\n    # inside\n  first \\\n  && second --flag\n"
        "ENV A=1 B='two words'\n"
        "FROM one AS two\nCOPY --link --from=one /x /x\n"
    )
    file = read(path)
    run, env = file.stages["one"].instructions
    assert run.flags == (("mount", "type=cache,target=/a"), ("network", "none"))
    assert run.value.split() == ["first", "&&", "second", "--flag"]
    assert env.pairs() == {"A": "1", "B": "two words"}
    assert [stage.name for stage in file.needed("two")] == ["one", "two"]
    assert expand(file.stages["one"].base, file.arguments) == "image:1"
