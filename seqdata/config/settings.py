"""The settings as pydantic reads them; apart, because importing pydantic takes a moment."""

from __future__ import annotations

import getpass
import os
from collections.abc import Set
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seqdata.config.envfile import read_env_file
from seqdata.config.found import counts, expanded
from seqdata.core.logs import logger
from seqdata.core.origins import (
    PRODUCTION_APP,
    PRODUCTION_AUTH,
    is_loopback,
    origin_of,
    why_no_origin,
)
from seqdata.core.secret import Secret, opened
from seqdata.exceptions import InvalidSetting

log = logger(__name__)

#: The pace of the service's web application, in seconds; only loopback servers take a faster one.
MIN_DELAY, MAX_JITTER = 1.5, 2.0

#: The longest life of a staged transfer, in seconds: a day.
LONGEST_STAGE = 86_400

#: Who is talked to, trusted and run, and what may happen unattended: never taken from a file
#: that was merely found, but for servers on loopback (a sandbox).
SERVERS = frozenset({"app_url", "auth_url"})
NEVER_FOUND = SERVERS | {"browser", "ca_bundle", "allow_unattended_transfers"}

#: What a login types. It goes to servers of a found file only if it stands in that file.
LOGIN = frozenset({"email", "password", "totp"})

_SECRET = LOGIN | {"kyc_id", "auth0_client_id"}


class Pace(NamedTuple):
    """Seconds between two requests: `min_delay` plus a random 0 to `max_jitter`."""

    min_delay: float
    max_jitter: float


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("an IANA time zone such as America/New_York") from None
    return name


def _origin(url: str) -> str:
    # The reason alone is raised: what is refused may hold a password.
    if why := why_no_origin(Secret(url)):
        raise ValueError(why)
    return origin_of(url)


def _readable_file(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        found = path.expanduser().absolute()
    except (RuntimeError, OSError):
        found = path
    if not (found.is_file() and os.access(found, os.R_OK)):
        raise ValueError("a file that can be read, with certificates in PEM form")
    return found


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number and no name
        return f"uid-{os.getuid()}"


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cents = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """All settings at one moment: a field is ``SEQUENCE_`` and its name in capitals."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    email: Secret | None = None
    password: Secret | None = None
    totp: Secret | None = None
    org_id: str | None = None
    kyc_id: Secret | None = None
    auth0_client_id: Secret | None = None
    data_dir: Path = Path()
    cache_dir: Path = Path("cache")
    app_url: Annotated[str, AfterValidator(_origin)] = PRODUCTION_APP
    auth_url: Annotated[str, AfterValidator(_origin)] = PRODUCTION_AUTH
    min_delay: Seconds = MIN_DELAY
    max_jitter: Seconds = MAX_JITTER
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "America/New_York"
    max_transfer_cents: Cents = 1_000_000
    max_daily_transfer_cents: Cents = 2_500_000
    stage_seconds: Annotated[int, Field(ge=1, le=LONGEST_STAGE)] = 300
    user: str = Field(default_factory=_login_name)
    read_only: bool = False
    allow_unattended_transfers: bool = False
    overlap_days: Days = 30
    rescan_days: Days = 90
    archive: bool = True
    browser: Path | None = None
    ca_bundle: Annotated[Path | None, AfterValidator(_readable_file)] = None
    debug: bool = False

    @property
    def cache_path(self) -> Path:
        """Folder of the Parquet tables; a relative one stands in the data folder."""
        return self.data_dir / expanded(self.cache_dir, "SEQUENCE_CACHE_DIR")

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
    given = _from_environment()
    found = _from_file(data_dir / ".env", given.keys())
    refused = _refused_server(found)
    if refused is None:
        try:
            return Settings.model_validate({**given, "data_dir": data_dir, **found})
        except ValidationError as error:
            refused = _invalid(error)
    raise refused


def _refused_server(found: dict[str, Secret | str | None]) -> InvalidSetting | None:
    """Check the servers of a file while they are sealed: what is refused may hold a password."""
    for name in sorted(found.keys() & SERVERS):
        url = found[name]
        if isinstance(url, Secret) and (why := why_no_origin(url)):
            return InvalidSetting(f"SEQUENCE_{name.upper()}", why)
    return None


def _from_environment() -> dict[str, Secret | str]:
    """Return what the environment says, by the names of the fields; what is empty is not set."""
    prefix = "SEQUENCE_"
    said = {name.upper(): text for name, text in os.environ.items() if text}
    named = {name.removeprefix(prefix).lower(): text for name, text in said.items()
             if name.startswith(prefix)}  # fmt: skip
    return {name: Secret(text) if name in _SECRET else text for name, text in named.items()}


def _from_file(file: Path, given: Set[str]) -> dict[str, Secret | str | None]:
    """Return what a ``.env`` file adds to what is given, by the names of the fields.

    A file whose folder SEQUENCE_DATA_DIR names counts whole. One that was merely found may be a
    stranger's: it counts only where it is the user's own, and the working directory's may come
    with a clone: what decides who is talked to and trusted is not taken from it.
    """
    is_named = "data_dir" in given
    if not is_named and not _is_own(file):
        return {}
    read = read_env_file(file)
    said = {name.removeprefix("SEQUENCE_").lower(): text for name, text in read.items()}
    said.pop("data_dir", None)
    fields: dict[str, Secret | None] = {k: v for k, v in said.items() if k not in given}
    if not is_named:
        for name in sorted(fields.keys() & NEVER_FOUND):
            if not (name in SERVERS and _is_sandbox(said[name])):
                _warn_of_setting(f"SEQUENCE_{name.upper()}", file.absolute())
                del fields[name]
        if fields.keys() & SERVERS:
            fields |= {name: said.get(name) for name in LOGIN}
    return {name: _plain(name, text) for name, text in fields.items()}


def _plain(name: str, text: Secret | None) -> Secret | str | None:
    """Open what is no secret, as pydantic reads it; a server's address once it is checked."""
    is_refused = name in SERVERS and text is not None and why_no_origin(text) != ""
    return text if text is None or name in _SECRET or is_refused else opened(text)


def _is_own(file: Path) -> bool:
    return file.exists() and counts(file) and counts(file.parent)


def _is_sandbox(url: Secret) -> bool:
    try:
        return is_loopback(url.get_secret_value())
    except ValueError:
        return False


@cache
def _warn_of_setting(name: str, file: Path) -> None:
    log.warning(
        "%s is not taken from a .env file that was merely found: path=%s; set it in the "
        "environment, or name the folder with SEQUENCE_DATA_DIR there", name, file,
    )  # fmt: skip


def _invalid(error: ValidationError) -> InvalidSetting:
    first = error.errors(include_context=False, include_url=False)[0]
    field = str(first["loc"][0]).lower().removeprefix("sequence_")
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    got = None if field in _SECRET else str(first["input"])
    if field in SERVERS and "@" in str(got):  # it may hold a password
        got = None
    return InvalidSetting(f"SEQUENCE_{field.upper()}", expected, got)
