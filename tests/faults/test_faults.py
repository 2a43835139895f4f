"""The short form of `make faults`: the daemon dies again and again with runs alive, and nothing is lost."""

from pathlib import Path

import pytest

from tests.faults.campaign import run_campaign

KILLS = 16


@pytest.mark.long
@pytest.mark.timeout(400)
def test_no_death_of_the_daemon_loses_doubles_or_orphans_anything(tmp_path: Path) -> None:
    campaign = run_campaign(tmp_path, kills=KILLS, seed=11)
    assert campaign.findings.broken == []
    assert sum(campaign.at_points.values()) + campaign.at_random + campaign.while_starting == KILLS
    assert campaign.findings.log_bytes_compared > 0
    assert campaign.findings.memory_lines_compared > 0
