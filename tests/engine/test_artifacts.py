"""The files that a run must leave behind: what passes, and what is said of one that does not."""

import asyncio
import csv
import os
import threading
import time
from pathlib import Path

import pytest

from supervisor.domain.run import Artifact
from supervisor.engine import artifacts
from supervisor.engine.artifacts import Found, check_artifacts

SAMPLE = "id,label\n1,0\n2,0\n"


async def check(
    path: Path, *, like: Path | None = None, created_at: float = 0.0, roots: tuple[Path, ...] = ()
) -> Found:
    wanted = Artifact(str(path), str(like) if like is not None else None)
    [found] = await check_artifacts((wanted,), created_at, roots)
    return found


async def compared(tmp_path: Path, text: str | bytes, sample: str = SAMPLE) -> Found:
    path, like = tmp_path / "submission.csv", tmp_path / "sample.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    like.write_text(sample)
    return await check(path, like=like)


async def test_a_new_file_with_something_in_it_passes(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x00\xff")

    assert await check(path, created_at=time.time() - 5) == Found(str(path), None, 2, None)


async def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert (await check(path)).problem == f"{path} is missing"

    path.touch()
    assert (await check(path)).problem == f"{path} is empty"

    assert (await check(tmp_path)).problem == f"{tmp_path} is not a regular file"

    os.mkfifo(tmp_path / "fifo")
    assert (await check(tmp_path / "fifo")).problem == f"{tmp_path}/fifo is not a regular file"


async def test_a_stale_file_never_passes_even_with_the_right_rows(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text(SAMPLE)
    os.utime(path, (1000.0, 1000.0))

    found = await check(path, like=path, created_at=1002.5)
    assert found.problem == f"{path} is older than the run: last written 2.5 s before its submission"
    assert (await check(path, like=path, created_at=1000.0)).problem is None


@pytest.mark.parametrize(
    "text",
    [
        "id,label\n7,1\n8,1\n",
        "\ufeffid,label\r\n7,1\r\n8,1",
        'id,label\n7,"a\nb"\n8,"c,d"\n',
        '"id","label"\n7,1\n\n8,1\n\n',
        b"id,label\n7,\xff\n8,1\n",
    ],
    ids=["plain", "byte order mark and no last newline", "quoted newline", "blank lines", "not UTF-8"],
)
async def test_a_table_passes_with_the_sample_s_header_and_number_of_rows(
    tmp_path: Path, text: str | bytes
) -> None:
    found = await compared(tmp_path, text)

    assert (found.problem, found.rows) == (None, 2)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("id,label\n1,0\n", "has 1 rows where {like} has 2"),
        ("id,label\n1,0\n2,0\n3,0\n", "has 3 rows where {like} has 2"),
        ("id,target\n1,0\n2,0\n", "has the header 'id,target' where {like} has 'id,label'"),
        ("label,id\n1,0\n2,0\n", "has the header 'label,id' where {like} has 'id,label'"),
        ("\n\n", "has no header line"),
        ("id,label\n" + "x" * 200_000, "is not a CSV file: field larger than field limit (131072)"),
        ("x" * 2_000_000, "is not a CSV file: a line is longer than 1048576 characters"),
    ],
)
async def test_a_table_that_is_not_like_its_sample_is_told_from_it(
    tmp_path: Path, text: str, what: str
) -> None:
    found = await compared(tmp_path, text)

    like = tmp_path / "sample.csv"
    assert found.problem == f"{tmp_path / 'submission.csv'} {what.format(like=like)}"


async def test_a_sample_that_went_away_leaves_nothing_to_vouch_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(SAMPLE)

    found = await check(path, like=tmp_path / "gone.csv")
    assert found.problem == f"{path} cannot be compared: its sample {tmp_path}/gone.csv is missing"


async def test_a_link_that_leads_out_of_the_allowed_roots_does_not_pass(tmp_path: Path) -> None:
    roots = (tmp_path / "in",)
    roots[0].mkdir()
    (tmp_path / "secret").write_text("x")
    link, loop, inside = roots[0] / "link", roots[0] / "loop", roots[0] / "plain"
    link.symlink_to(tmp_path / "secret")
    loop.symlink_to(loop)
    inside.write_text("x")

    for path in (link, loop):
        found = await check(path, roots=roots)
        assert found.problem == f"{path} lies outside the allowed roots: {roots[0]}"
    assert (await check(inside, roots=roots)).problem is None


async def test_counting_gives_up_with_its_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(SAMPLE)
    begun, gone_on, results = threading.Event(), threading.Event(), []
    judge, check_one = artifacts.judge_file, artifacts._check

    def slow(*args: object) -> str | None:
        begun.set()
        gone_on.wait(10)
        return judge(*args)  # type: ignore[arg-type]

    def kept(*args: object) -> Found:
        results.append(check_one(*args))  # type: ignore[arg-type]
        return results[-1]

    monkeypatch.setattr(artifacts, "judge_file", slow)
    monkeypatch.setattr(artifacts, "_check", kept)
    checking = asyncio.create_task(check(path, like=path))
    await asyncio.to_thread(begun.wait, 10)
    checking.cancel()
    await asyncio.gather(checking, return_exceptions=True)
    gone_on.set()
    async with asyncio.timeout(10):
        while not results:
            await asyncio.sleep(0.01)

    assert results[0].problem == f"{path} was not read to its end"


def test_rows_are_counted_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "label"], *([n, 0] for n in range(50_000))])
    with artifacts._open(path, ()) as file:
        rows = artifacts._rows(file, threading.Event())
        next(rows)
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) < path.stat().st_size / 10
