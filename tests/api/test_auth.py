"""Where the token comes from: the settings, the service manager's credential, the state directory."""

import stat
from pathlib import Path

import pytest

from supervisor.api.auth import TokenError, load_token
from supervisor.settings import SettingsError, load_settings

GIVEN, CREDENTIAL, NEAREST = "given-given-given-1", "credential-0123456789", "nearest-0123456789"


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAIND_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("TRAIND_TOKEN", raising=False)
    return tmp_path / "token"


def test_a_credential_is_the_token(credentials: Path) -> None:
    credentials.write_text(CREDENTIAL + "\n")
    assert load_settings().token == CREDENTIAL


def test_environment_and_file_go_before_the_credential(
    credentials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials.write_text(CREDENTIAL)
    (tmp_path / "config.toml").write_text(f'token = "{GIVEN}"')
    assert load_settings().token == GIVEN
    monkeypatch.setenv("TRAIND_TOKEN", NEAREST)
    assert load_settings().token == NEAREST


def test_without_a_credential_or_with_an_empty_one_there_is_none(credentials: Path) -> None:
    assert load_settings().token is None
    credentials.write_text("\n")
    assert load_settings().token is None


def test_a_credential_that_cannot_be_read_is_named(credentials: Path) -> None:
    credentials.mkdir()
    with pytest.raises(SettingsError, match=r"the credential .*/token cannot be read: Is a directory"):
        load_settings()


def test_a_given_token_is_kept_for_those_who_may_read_the_state_directory(tmp_path: Path) -> None:
    assert load_token(tmp_path, GIVEN) == GIVEN
    assert (tmp_path / "auth.header").read_text() == f"Authorization: Bearer {GIVEN}\n"
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert load_token(tmp_path, None) == GIVEN


def test_a_token_that_cannot_be_used_names_its_source(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="the token in the settings must be 16 to 512"):
        load_token(tmp_path, "short")
    (tmp_path / "token").write_text("short")
    with pytest.raises(TokenError, match=f"the token in {tmp_path}/token must"):
        load_token(tmp_path, None)


def test_a_place_where_no_token_can_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(TokenError, match=r"/token cannot be used: Is a directory; mend that"):
        load_token(tmp_path, None)
