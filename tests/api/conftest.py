"""What the API's tests share."""

import httpx2
import pytest

from tests.daemon import Daemon


@pytest.fixture
def http(host_daemon: Daemon) -> httpx2.Client:
    return host_daemon.http
