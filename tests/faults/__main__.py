"""`python -m tests.faults [KILLS] [SEED]`: the whole campaign, and the table of what it found."""

import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.faults.campaign import Campaign, run_campaign

_KILLS = 220


def main(arguments: list[str]) -> int:
    kills = int(arguments[0]) if arguments else _KILLS
    seed = int(arguments[1]) if len(arguments) > 1 else time.time_ns() % 100_000
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="traind-faults-"))
    campaign = run_campaign(folder, kills=kills, seed=seed, tell=_tell)
    _show(campaign)
    if campaign.findings.broken:
        print(f"all that is left of it lies in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _show(campaign: Campaign) -> None:
    found = campaign.findings
    at_points = sum(campaign.at_points.values())
    print(
        f"{campaign.kills} SIGKILLs of the daemon: {at_points} at {len(campaign.at_points)} chosen points, "
        f"{campaign.at_random} at random moments, {campaign.while_starting} while it started"
    )
    alive = campaign.alive
    print(f"{campaign.runs} runs, {median(alive):.0f} alive at a kill (median; at most {max(alive)})")
    for name, sentences in found.promises():
        print(f"  {name:<36} {len(sentences):>6}")
        for sentence in sentences:
            print(f"      {sentence}")
    print(
        f"log bytes compared {found.log_bytes_compared}, streams followed over the kills {campaign.streams}"
    )
    print(f"memory lines compared {found.memory_lines_compared}")
    print(f"start to ready: median {median(campaign.ready_s):.2f} s, longest {max(campaign.ready_s):.2f} s")
    for point, times in sorted(campaign.at_points.items()):
        print(f"  {times:>3} {point}")


sys.exit(main(sys.argv[1:]))
