"""docs/agents.md is a promise: its commands are taken out of the file and run."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.daemon import Daemon

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
TRAIN = """\
BATCH_SIZE = 64
for epoch in range(1, 4):
    print(f"Fold 1/1, Epoch {epoch}/3, loss: {1 / epoch:.3f}")
"""
PREDICT = "open('submission.csv', 'w').write('id,label\\n1,0\\n')"


def commands(page: str) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def test_the_pages_commands_carry_an_agent_from_submission_to_report(
    host_daemon: Daemon, script: Callable[..., Path]
) -> None:
    folder = script(TRAIN).parent
    script(PREDICT, "predict.py")
    page = host_daemon.http.get("/llms.txt", headers={"Authorization": ""}).text
    shell = "set -euo pipefail\n" + commands(page)
    done = subprocess.run(
        ["bash", "-c", shell], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "urn:traind:problem" not in done.stdout
    assert '"passed":' in done.stdout
    assert '"state":"succeeded"' in done.stdout
    assert "loss: 0.333" in done.stdout
    assert host_daemon.get("baseline")["state"] == "succeeded"


def test_page_served_names_this_daemon_and_is_else_the_file(host_daemon: Daemon) -> None:
    served = host_daemon.http.get("/llms.txt").text
    assert f"BASE={str(host_daemon.http.base_url).rstrip('/')}" in served
    assert f"H={host_daemon.state_dir}/auth.header" in served
    assert len(served.splitlines()) == len(PAGE.read_text().splitlines())


def test_page_mentions_no_command_that_was_not_run() -> None:
    """Blocks without `sh` are output, or change what the test needs: each is one of these."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    others = [block for language, block in blocks if language != "sh"]
    assert [block.split()[0] for block in others] == ["curl", "GPU"]
