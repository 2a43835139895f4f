"""Which modules a command loads: that keeps it fast, whatever the machine."""

import os
import subprocess
import sys

import pytest

from supervisor.cli import HELP_PAGE
from tests.daemon import Daemon

# Typer itself loads pydantic for any command's parameters; that is not ours to choose.
HEAVY = {"pydantic_settings", "fastapi", "uvicorn", "rich", "psutil", "supervisor.settings"}
MAKE_HELP = "from supervisor.cli.app import app; app(['--help'], prog_name='traind')"
LOAD = """
import sys
sys.argv = ["traind", *sys.argv[1:]]
from supervisor.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def loaded(*arguments: str, **env: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TRAIND_CONFIG": "/nonexistent", **env},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not loaded(*arguments) & (HEAVY | {"pydantic", "httpx2", "asyncio"})


def test_the_help_of_a_command_needs_no_client() -> None:
    assert not loaded("submit", "--help") & (HEAVY | {"httpx2", "asyncio"})


def test_the_status_of_all_needs_the_standard_library_alone(host_daemon: Daemon) -> None:
    found = loaded("status", TRAIND_STATE_DIR=str(host_daemon.state_dir))
    assert not found & (HEAVY | {"pydantic", "typer", "asyncio", "httpx2"})


def test_page_of_all_commands_is_what_typer_makes_and_needs_nothing() -> None:
    made = subprocess.run(
        [sys.executable, "-c", MAKE_HELP], capture_output=True, text=True, check=True, env=os.environ
    )
    assert HELP_PAGE.read_text() == made.stdout, f"write this to {HELP_PAGE.name}"
    assert not loaded("--help") & (HEAVY | {"pydantic", "typer", "httpx2", "asyncio"})


@pytest.mark.parametrize("arguments", [("ps",), ("ps", "-a", "--json")])
def test_a_look_loads_nothing_heavy(host_daemon: Daemon, arguments: tuple[str, ...]) -> None:
    assert not loaded(*arguments, TRAIND_STATE_DIR=str(host_daemon.state_dir)) & (HEAVY | {"asyncio"})
