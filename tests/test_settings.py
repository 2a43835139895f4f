"""Settings of logs: what bounds them, and what is refused."""

import pytest

from supervisor.settings import SettingsError, load_settings

MIB = 2**20


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIND_CONFIG", "/nonexistent")


@pytest.mark.parametrize(
    ("value", "bound"),
    [(None, 2**30), ("64MiB", 64 * MIB), ("1048576", MIB), ("0", 0), ("1MB", None), ("-1", None)],
)
def test_a_log_is_bounded_by_a_mebibyte_at_least_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, value: str | None, bound: int | None
) -> None:
    if value is not None:
        monkeypatch.setenv("TRAIND_LOG__MAX_BYTES", value)
    if bound is None:
        with pytest.raises(SettingsError, match=r"log\.max_bytes"):
            load_settings()
    else:
        assert load_settings().engine_config().log_max_bytes == bound


def test_what_is_said_of_the_daemons_own_log_stands_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIND_LOG_FORMAT", "json")
    monkeypatch.setenv("TRAIND_LOG__MAX_BYTES", "2MiB")
    settings = load_settings()
    assert (settings.log_format, settings.log.max_bytes) == ("json", 2 * MIB)
