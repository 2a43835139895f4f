"""The image workload as its users run it: really trained, on few images."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.output.reader import OutputReader
from supervisor.output.records import LoaderSettings, MemoryUsed, Progress, Resources, Validation
from supervisor.source.locate import Located, locate_batch_size

pytestmark = [pytest.mark.workload, pytest.mark.long]

IMAGE = Path(__file__).parents[2] / "workloads" / "image"
FEW = ("--folds", "2", "--epochs", "1", "--images", "400")


def run(script: str, *args: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-u", str(IMAGE / script), *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    folder = tmp_path_factory.mktemp("image")
    return folder, run("train.py", *FEW, cwd=folder)


def test_every_line_of_it_is_read(trained: "tuple[Path, subprocess.CompletedProcess[str]]") -> None:
    _, done = trained
    assert done.returncode == 0, done.stderr
    records = [item.record for item in OutputReader().feed(done.stdout.encode()).records]

    resources = next(record for record in records if isinstance(record, Resources))
    assert (resources.batch_size, resources.cpu_cores) == (128, os.cpu_count())
    assert any(isinstance(record, LoaderSettings) for record in records)
    assert any(isinstance(record, Validation) for record in records)
    memory = [record for record in records if isinstance(record, MemoryUsed)]
    assert len(memory) == 3
    assert all(record.total is not None and record.percent is not None for record in memory)
    progress = [record for record in records if isinstance(record, Progress) and record.epoch is not None]
    assert [(item.fold, item.folds, item.epoch, item.epochs) for item in progress] == [
        (1, 5, 1, 1),
        (2, 5, 1, 1),
    ]
    assert all(item.loss is not None for item in progress)


def test_prediction_has_the_rows_and_the_header_of_the_sample(
    trained: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    folder, _ = trained
    done = run("predict.py", cwd=folder)
    assert done.returncode == 0, done.stderr

    with (folder / "submission.csv").open() as made, (IMAGE / "sample_submission.csv").open() as sample:
        rows, wanted = list(csv.reader(made)), list(csv.reader(sample))
    assert rows[0] == wanted[0]
    assert [row[0] for row in rows] == [row[0] for row in wanted]
    assert "rows by 2 models, accuracy: 0." in done.stdout


def test_prediction_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    done = run("predict.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"there is no model in {tmp_path}; run train.py first\n")
    assert not (tmp_path / "submission.csv").exists()


def test_sigterm_leaves_models_from_which_a_submission_can_be_made(tmp_path: Path) -> None:
    command = [sys.executable, "-u", str(IMAGE / "train.py"), "--epochs", "500", "--images", "400"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Fold 1/5, Epoch 2/"):
                process.send_signal(signal.SIGTERM)
        assert process.wait() == 143

    assert [path.name for path in tmp_path.glob("*.pt")] == ["model-fold1-partial.pt"]
    assert run("predict.py", cwd=tmp_path).returncode == 0
    assert (tmp_path / "submission.csv").exists()


def test_its_batch_size_is_found() -> None:
    found = locate_batch_size((IMAGE / "train.py").read_bytes())
    assert isinstance(found, Located)
    assert (found.value, found.places[0].name) == (128, "BATCH_SIZE")
