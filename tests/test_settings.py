"""Settings: what bounds logs, where a size is changed, and what is refused."""

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


def test_where_a_size_is_changed_is_the_file_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().engine_config().sizing.edit == "file"
    monkeypatch.setenv("TRAIND_SIZING__EDIT", "args")
    assert load_settings().engine_config().sizing.edit == "args"
    monkeypatch.setenv("TRAIND_SIZING__EDIT", "both")
    with pytest.raises(SettingsError, match=r"sizing\.edit"):
        load_settings()
