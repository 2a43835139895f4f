"""A store of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from supervisor.store.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traind.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(path)
    yield opened
    await opened.close()
