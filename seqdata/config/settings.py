"""The settings, each with its default and what may be said of it."""

from __future__ import annotations

import getpass
import math
import os
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
_SEALED = _SECRET | SERVERS


class Pace(NamedTuple):
    """Seconds between two requests: `min_delay` plus a random 0 to `max_jitter`."""

    min_delay: float
    max_jitter: float


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number and no name
        return f"uid-{os.getuid()}"


# -- what a value is read as: each raises a ValueError that says what is expected ---------------


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("an IANA time zone such as America/New_York") from None
    return name


def _theme(name: str) -> Literal["light", "dark"]:
    themes: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
    for theme in themes:
        if name.strip().lower() == theme:
            return theme
    raise ValueError("light or dark")


def _origin(url: str | Secret) -> str:
    # The reason alone is raised: what is refused may hold a password.
    if why := why_no_origin(_secret(url)):
        raise ValueError(why)
    return origin_of(_secret(url).get_secret_value())


def _readable_file(path: str | Path) -> Path:
    try:
        found = Path(path).expanduser().absolute()
    except (RuntimeError, OSError):
        found = Path(path)
    if not (found.is_file() and os.access(found, os.R_OK)):
        raise ValueError("a file that can be read, with certificates in PEM form")
    return found


def _whole(least: int, most: int | None = None) -> Callable[[object], int]:
    bounds = f"at least {least}" if most is None else f"from {least} to {most:,}"

    def read(value: object) -> int:
        number = int(str(value).strip()) if _DIGITS.fullmatch(str(value).strip()) else None
        if number is None or number < least or (most is not None and number > most):
            raise ValueError(f"a whole number, {bounds}")
        return number

    return read


_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")


def _seconds(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        raise ValueError("a number of seconds, at least 0")
    return number


def _yes_or_no(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError("1 or 0 (true or false, yes or no, on or off)")
    return word in _YES


_YES, _NO = (
    frozenset({"1", "true", "t", "yes", "y", "on"}),
    frozenset({"0", "false", "f", "no", "n", "off"}),
)


MaybeSecret = Annotated[Secret | None, _secret]
Origin = Annotated[str, _origin]
Seconds = Annotated[float, _seconds]
Cents = Annotated[int, _whole(0)]
Days = Annotated[int, _whole(1, 36_525)]
YesOrNo = Annotated[bool, _yes_or_no]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings at one moment: a field is ``SEQUENCE_`` and its name in capitals.

    ``given`` names those that somebody has said; the others have their default.
    """

    email: MaybeSecret = None
    password: MaybeSecret = None
    totp: MaybeSecret = None
    org_id: Annotated[str | None, str] = None
    kyc_id: MaybeSecret = None
    auth0_client_id: MaybeSecret = None
    data_dir: Annotated[Path, Path] = Path()
    cache_dir: Annotated[Path, Path] = Path("cache")
    app_url: Origin = PRODUCTION_APP
    auth_url: Origin = PRODUCTION_AUTH
    min_delay: Seconds = MIN_DELAY
    max_jitter: Seconds = MAX_JITTER
    timezone: Annotated[str, _timezone] = "America/New_York"
    max_transfer_cents: Cents = 1_000_000
    max_daily_transfer_cents: Cents = 2_500_000
    stage_seconds: Annotated[int, _whole(1, LONGEST_STAGE)] = 300
    user: Annotated[str, str] = field(default_factory=_login_name)
    read_only: YesOrNo = False
    allow_unattended_transfers: YesOrNo = False
    overlap_days: Days = 30
    rescan_days: Days = 90
    archive: YesOrNo = True
    browser: Annotated[Path | None, Path] = None
    ca_bundle: Annotated[Path | None, _readable_file] = None
    debug: YesOrNo = False
    theme: Annotated[Literal["light", "dark"] | None, _theme] = None
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @classmethod
    def names(cls) -> list[str]:
        """List the settings."""
        return list(_readers())

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Settings:
        """Read settings from values, mostly texts, by their names; others are passed over.

        Raises
        ------
        InvalidSetting
            A value cannot be used; the message names the setting.
        """
        read, refused = _read(values)
        if refused is not None:  # raised here, where no value is in sight of a traceback
            raise refused
        return cls(**read, given=frozenset(read))

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


@cache
def _readers() -> dict[str, Callable[[Any], object]]:
    """Return what each setting's value is read with."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if name != "given"}


def _read(values: Mapping[str, object]) -> tuple[dict[str, Any], InvalidSetting | None]:
    """Read each value that a setting has; instead of raising, return what is refused."""
    found: dict[str, Any] = {}
    for name, read in _readers().items():
        if name in values:
            value = values[name]
            try:
                found[name] = None if value is None else read(value)
            except ValueError as error:
                return {}, _invalid(name, value, str(error))
    return found, None


def read_settings(data_dir: Path) -> Settings:
    """Read all variables; the environment wins over the ``.env`` file of `data_dir`."""
    given = _from_environment()
    found = _from_file(data_dir / ".env", given.keys())
    return Settings.of({**given, "data_dir": data_dir, **found})


def _from_environment() -> dict[str, Secret | str]:
    """Return what the environment says, by the names of the fields; what is empty is not set."""
    prefix = "SEQUENCE_"
    said = {name.upper(): text for name, text in os.environ.items() if text}
    named = {name.removeprefix(prefix).lower(): text for name, text in said.items()
             if name.startswith(prefix)}  # fmt: skip
    return {name: Secret(text) if name in _SEALED else text for name, text in named.items()}


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
    return {name: _unsealed(name, text) for name, text in fields.items()}


def _unsealed(name: str, text: Secret | None) -> Secret | str | None:
    """Open what holds no secret; a server's address may hold a password, until it is checked."""
    return text if text is None or name in _SEALED else opened(text)


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


def _invalid(name: str, value: object, expected: str) -> InvalidSetting:
    got = None if name in _SECRET else str(opened(value) if isinstance(value, Secret) else value)
    if name in SERVERS and "@" in str(got):  # it may hold a password
        got = None
    return InvalidSetting(f"SEQUENCE_{name.upper()}", expected, got)
