"""Settings: flag, then `TRAIND_*`, then `config.toml`, then default. Each is checked here, once."""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from supervisor.domain.checkpoint import CheckpointPolicy
from supervisor.domain.sizing import SizingEdit, SizingKind, SizingPolicy
from supervisor.engine.config import EngineConfig, RetentionPolicy
from supervisor.places import DEFAULT_PORT, TOKEN_FILE, config_file, default_state_dir

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what to set."""


def parse_size(value: object) -> object:
    """Bytes of "16GiB", "24 GB", "512M" or a number; what is none of these is left to the validation."""
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    number, prefix, binary = match.groups()
    base = 1024 if binary or not value.strip().lower().endswith("b") else 1000  # type: ignore[attr-defined] # a str
    return round(float(number) * base ** _POWERS[prefix.lower()])


def credential_token() -> str | None:
    """The token that the service manager hands over as a credential; None where it is missing or empty.

    Raises `SettingsError` for one that cannot be read: a token of our own instead would lock callers out.
    """
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    path = Path(directory) / TOKEN_FILE
    try:
        return path.read_text(errors="replace").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"the credential {path} cannot be read: {error.strerror}") from error


Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class CheckpointSettings(BaseModel):
    """Defaults of a run's `checkpoint`; docs/behaviour.md has their meaning."""

    model_config = {"extra": "forbid"}

    after_s: Seconds = 60.0
    min_fraction: Fraction = 0.50
    max_fraction: Fraction = 0.90
    tolerance: Fraction = 0.0625
    retry_s: Annotated[float, Field(ge=0.05)] = 15.0
    max_wait_s: Seconds = 300.0
    window_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    settle_s: Annotated[float, Field(gt=0, le=300)] = 5.0


class SizingSettings(BaseModel):
    """Defaults of a run's `sizing`; docs/behaviour.md has their meaning."""

    model_config = {"extra": "forbid"}

    policy: SizingKind = SizingKind.DOUBLE
    max_relaunches: Annotated[int, Field(ge=0)] = 4
    max_batch_size: Annotated[int, Field(ge=1)] | None = None
    max_fraction: Fraction = 0.90
    target_fraction: Fraction = 0.75
    edit: SizingEdit = SizingEdit.FILE


class RetentionSettings(BaseModel):
    """How many ended runs are kept, and for how long after their end; 0 seconds mean for ever."""

    model_config = {"extra": "forbid"}

    max_runs: Annotated[int, Field(ge=1)] = 1000
    max_age_s: Seconds = 30 * 86400.0


_LEAST_LOG = 2**20


def _bounds_a_log(value: int) -> int:
    if 0 < value < _LEAST_LOG:
        raise ValueError("a log needs at least 1MiB; 0 keeps all of it")
    return value


class LogSettings(BaseModel):
    """How much of an attempt's log is kept on disk, its end; 0 bytes mean all of it."""

    model_config = {"extra": "forbid"}

    max_bytes: Annotated[int, BeforeValidator(parse_size), Field(ge=0), AfterValidator(_bounds_a_log)] = 2**30


class Settings(BaseSettings):
    """All settings of the daemon. Sizes in bytes or as "16GiB", times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TRAIND_", env_nested_delimiter="__", extra="forbid", hide_input_in_errors=True
    )

    state_dir: Path = Field(default_factory=default_state_dir)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = DEFAULT_PORT
    socket: Path | None = None
    token: str | None = Field(default_factory=credential_token)
    allowed_hosts: tuple[str, ...] = ()
    device: Literal["auto", "nvml", "host"] = "auto"
    host_capacity: Size | None = None
    allowed_roots: tuple[Path, ...] = ()
    python: str = "python3"
    sample_every_s: Annotated[float, Field(ge=0.02, le=60)] = 1.0
    grace_s: Seconds = 10.0
    checkpoint: CheckpointSettings = CheckpointSettings()
    sizing: SizingSettings = SizingSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, toml

    def engine_config(self) -> EngineConfig:
        return EngineConfig(
            state_dir=self.state_dir.absolute(),
            device=self.device,
            host_capacity=self.host_capacity,
            allowed_roots=tuple(root.absolute() for root in self.allowed_roots),
            python=self.python,
            sample_every_s=self.sample_every_s,
            grace_s=self.grace_s,
            checkpoint=CheckpointPolicy(**self.checkpoint.model_dump()),
            sizing=SizingPolicy(**self.sizing.model_dump()),
            retention=RetentionPolicy(**self.retention.model_dump()),
            log_max_bytes=self.log.max_bytes,
        )


def load_settings(**flags: Any) -> Settings:
    """The settings, with those flags that are not None before all else; raises `SettingsError`."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise SettingsError(f"setting {name}: {first['msg']}") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{config_file()} cannot be read: {error}") from error
