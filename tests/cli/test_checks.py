"""What `doctor` makes of what it finds."""

import pytest

from supervisor.cli import checks
from supervisor.cli.checks import Check, Level

GIB = 2**30


def store(
    *,
    exists: bool = True,
    problem: str | None = None,
    aside: list[str] | None = None,
    holder: str | None = None,
) -> Check:
    return checks.store("/s/traind.db", exists=exists, problem=problem, aside=aside or [], holder=holder)


@pytest.mark.parametrize(
    ("check", "level", "said"),
    [
        (checks.nvml(["A10", "A10"], None), "ok", "2 GPUs: A10, A10"),
        (checks.nvml([], None), "warn", "lists no GPU"),
        (checks.nvml([], "no library"), "warn", "no library"),
        (checks.cuda_visibility(None, 0), "ok", "not set"),
        (checks.cuda_visibility("", 1), "warn", "hides every GPU"),
        (checks.cuda_visibility("-1", 0), "ok", "hides every GPU"),
        (checks.cuda_visibility("0,1", 2), "ok", "0,1"),
        (checks.cuda_visibility("GPU-1b,MIG-2c", 1), "ok", "GPU-1b"),
        (checks.cuda_visibility("0,3", 2), "fail", "no GPU '3' of 2"),
        (checks.cuda_visibility("0", 0), "warn", "no GPU '0' of 0"),
        (checks.cuda_visibility("0,0", 1), "fail", "twice"),
        (checks.state_directory("/s", exists=True, writable=True, mode=0o700), "ok", "private"),
        (checks.state_directory("/s", exists=True, writable=True, mode=0o755), "warn", "open to others"),
        (checks.state_directory("/s", exists=False, writable=True, mode=None), "ok", "first start"),
        (checks.state_directory("/s", exists=True, writable=False, mode=0o700), "fail", "cannot be written"),
        (checks.disk("/s", 50 * GIB), "ok", "50.0 GiB"),
        (checks.disk("/s", 2 * GIB), "warn", "2.0 GiB"),
        (checks.disk("/s", 5 * 2**20), "fail", "5 MiB"),
        (store(exists=False), "ok", "made at the first start"),
        (store(holder="7"), "ok", "/s/traind.db is sound; held by process 7"),
        (store(), "ok", "no daemon holds it"),
        (store(problem="/s/traind.db is damaged: x"), "fail", "is damaged: x"),
        (store(aside=["traind.db.damaged-1"]), "warn", "earlier it was damaged: traind.db.damaged-1"),
        (checks.holes("/s", supported=True), "ok", "can be bounded"),
        (checks.holes("/s", supported=False), "warn", "cannot be bounded"),
        (checks.holes("/s", supported=None), "warn", "could not be tried"),
        (checks.shared_memory(8 * GIB, 8 * GIB), "ok", "8.0 GiB"),
        (checks.shared_memory(64 * 2**20, 64 * 2**20), "warn", "bus error"),
        (checks.shared_memory(None, None), "warn", "not there"),
        (checks.open_files(1024, -1), "ok", "no limit"),
        (checks.open_files(256, 256), "warn", "256"),
        (checks.open_files(-1, -1), "ok", "any number"),
        (checks.inotify(128, 8192), "ok", "128 instances"),
        (checks.inotify(16, 8192), "warn", "16 instances"),
        (checks.inotify(None, None), "warn", "does not say"),
        (checks.interpreter("python3", "/usr/bin/python3"), "ok", "/usr/bin/python3"),
        (checks.interpreter("python3", None), "fail", "there is no python3"),
        (checks.daemon("http://x", None, accepted=True, problems=[]), "ok", "takes our token"),
        (checks.daemon(None, None, accepted=None, problems=[]), "warn", "no daemon is running"),
        (checks.daemon("http://x", "gone", accepted=None, problems=[]), "warn", "gone"),
        (checks.daemon("http://x", None, accepted=False, problems=[]), "fail", "refuses our token"),
        (checks.daemon("http://x", None, accepted=True, problems=["store"]), "fail", "store"),
        (checks.port("h", 1, taken=False, ours=False), "ok", "free"),
        (checks.port("h", 1, taken=True, ours=True), "ok", "our daemon"),
        (checks.port("h", 1, taken=True, ours=False), "fail", "another program"),
    ],
)
def test_each_check_says_what_was_found_and_what_to_do(check: Check, level: str, said: str) -> None:
    assert (check.level, said in check.found) == (Level(level), True)
    assert (check.fix is None) == (check.level is Level.OK)
