"""A run on a file system that fills up and is freed again; prints what became of it as JSON."""

import contextlib
import json
import sys
import textwrap
from pathlib import Path

from tests.daemon import eventually, running_daemon

_MIB = 2**20
_MOST_BLOCKS = 16 * 1024  # a small file system is full before that
# A figure that cannot be written is written again, as a patient logger would.
_SCRIPT = """
import os, pathlib, time
refused = 0
for n in range(1, 301):
    line = b"GPU Memory Used: %d MiB\\n" % n
    line = b"x" * 20_000 + b"\\n" + line
    while line:
        try:
            line = line[os.write(1, line):]
        except OSError:
            refused += 1
            pathlib.Path("refused").write_text(str(refused)) if refused == 1 else None
            time.sleep(0.02)
    time.sleep(0.002)
pathlib.Path("refusals").write_text(str(refused))
"""


def main(folder: Path, place: Path) -> None:
    assert place.is_mount(), f"{place} is not a file system of its own: it would fill this machine's"
    script = folder / "train.py"
    script.write_text(textwrap.dedent(_SCRIPT))
    with running_daemon(place / "state", "--device", "host", env={"TRAIND_SAMPLE_EVERY_S": "0.1"}) as daemon:
        run_id = daemon.submit(script)["id"]
        daemon.event(run_id, "memory_reported")
        filler = place / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for _ in range(_MOST_BLOCKS):
                file.write(b"x" * 4096)
        eventually((script.parent / "refused").exists)
        filler.unlink()
        run = daemon.wait(run_id)
        events = daemon.events(run_id)
    figures = [item["data"]["used"] // _MIB for item in events if item["type"] == "memory_reported"]
    refused = int((script.parent / "refusals").read_text())
    json.dump({"state": run["state"], "refused": refused, "figures": figures}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
