"""The settings as pydantic reads them; apart, because importing pydantic-settings takes 0.1 s."""

from __future__ import annotations

import getpass
import os
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from seqdata.exceptions import InvalidSetting
from seqdata.origins import PRODUCTION_APP, PRODUCTION_AUTH, checked_origin, is_loopback

#: The pace of the service's web application, in seconds; only loopback servers take a faster one.
MIN_DELAY, MAX_JITTER = 1.5, 2.0

_SECRET = {"email", "password", "totp", "kyc_id", "auth0_client_id"}


class Pace(NamedTuple):
    """Seconds between two requests: `min_delay` plus a random 0 to `max_jitter`."""

    min_delay: float
    max_jitter: float


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("an IANA time zone such as America/New_York")
    return name


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number and no name
        return f"uid-{os.getuid()}"


Secret = Annotated[str | None, Field(repr=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cents = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """All settings at one moment: a field is ``SEQUENCE_`` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="SEQUENCE_", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    email: Secret = None
    password: Secret = None
    totp: Secret = None
    org_id: str | None = None
    kyc_id: Secret = None
    auth0_client_id: Secret = None
    data_dir: Path = Path()
    cache_dir: Path = Path("cache")
    app_url: Annotated[str, AfterValidator(partial(checked_origin, "SEQUENCE_APP_URL"))] = (
        PRODUCTION_APP
    )
    auth_url: Annotated[str, AfterValidator(partial(checked_origin, "SEQUENCE_AUTH_URL"))] = (
        PRODUCTION_AUTH
    )
    min_delay: Seconds = MIN_DELAY
    max_jitter: Seconds = MAX_JITTER
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "America/New_York"
    max_transfer_cents: Cents = 1_000_000
    max_daily_transfer_cents: Cents = 2_500_000
    stage_seconds: Annotated[int, Field(ge=1)] = 300
    user: str = Field(default_factory=_login_name)
    read_only: bool = False
    allow_unattended_transfers: bool = False
    overlap_days: Days = 30
    rescan_days: Days = 90
    archive: bool = True
    browser: Path | None = None
    ca_bundle: Path | None = None
    debug: bool = False

    @property
    def cache_path(self) -> Path:
        """Folder of the Parquet tables; a relative one stands in the data folder."""
        return self.data_dir / self.cache_dir.expanduser()

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the days and months of reports, and of the day of a limit."""
        return ZoneInfo(self.timezone)

    @property
    def pace(self) -> Pace:
        """Pace of requests. One faster than the default holds for loopback servers only."""
        if is_loopback(self.app_url):
            return Pace(self.min_delay, self.max_jitter)
        return Pace(max(self.min_delay, MIN_DELAY), max(self.max_jitter, MAX_JITTER))


def read_settings(data_dir: Path) -> Settings:
    """Read all variables; the environment wins over the ``.env`` file of `data_dir`."""
    try:
        return Settings(_env_file=data_dir / ".env", _env_file_encoding="utf-8", data_dir=data_dir)
    except UnicodeDecodeError:
        raise InvalidSetting(str(data_dir / ".env"), "text in UTF-8") from None
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidSetting:
    first = error.errors(include_context=False, include_url=False)[0]
    field = str(first["loc"][0]).lower().removeprefix("sequence_")
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    got = None if field in _SECRET else str(first["input"])
    return InvalidSetting(f"SEQUENCE_{field.upper()}", expected, got)
