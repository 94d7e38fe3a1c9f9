"""Settings: from the environment, then from the ``.env`` file of the data folder.

They are read when they are needed, never at import: in a notebook they are often set after
it. The environment wins over the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seqdata.config.found import counts, expanded, names_ours, why_passed_over
from seqdata.core.logs import logger
from seqdata.core.owners import folders_upward, is_owned, why_not_own
from seqdata.exceptions import FolderNotOwn, InvalidSetting, MissingSetting

if TYPE_CHECKING:
    from seqdata.config.settings import Settings
    from seqdata.core.secret import Secret

    DATA_DIR: Path

log = logger(__name__)

#: Marks a cache folder as one of ours.
CACHE_MARKER = ".seqdata"

#: What was moved, and how much of a limit is used: never left behind silently.
_MONEY_FILES = (".audit.jsonl", ".daily_limits.json")

_DATA_FILES = (".tokens.json", *_MONEY_FILES)

_PURPOSES = {
    "SEQUENCE_EMAIL": "the browser login",
    "SEQUENCE_PASSWORD": "the browser login",
    "SEQUENCE_TOTP": "the browser login (a code, the authenticator's secret, or its otpauth URI)",
    "SEQUENCE_ORG_ID": "choosing the organization whose activity is read",
    "SEQUENCE_KYC_ID": "transfers",
    "SEQUENCE_AUTH0_CLIENT_ID": "refreshing the access token",
}


@dataclass(repr=False, slots=True)
class SequenceCredentials:
    """What a person types to log in. Its repr masks, and it is not pickled."""

    email: str
    password: str
    totp: str

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: they would be written down")

    def __repr__(self) -> str:
        return "SequenceCredentials(email=***, password=***, totp=***)"


@dataclass(repr=False, slots=True)
class SequenceConfig:
    """Ids of one user's organization, KYC and login client. Its repr masks."""

    organization_id: str | None
    kyc_id: str | None
    auth0_client_id: str | None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_masked(value)}" for name, value in asdict(self).items())
        return f"SequenceConfig({shown})"


def get_settings(data_dir: Path | None = None) -> Settings:
    """Read all settings now; with the ``.env`` of a data folder that is known already.

    Raises
    ------
    InvalidSetting
        A variable has a value that cannot be used; the message names it.
    """
    from seqdata.config.settings import read_settings

    return read_settings(find_data_dir() if data_dir is None else data_dir)


def get_credentials() -> SequenceCredentials:
    """Return e-mail, password and one-time-code setting for the browser login.

    Raises
    ------
    MissingSetting
        One of SEQUENCE_EMAIL, SEQUENCE_PASSWORD, SEQUENCE_TOTP is not set.
    """
    values = get_settings()
    return SequenceCredentials(
        email=_required("SEQUENCE_EMAIL", values.email),
        password=_required("SEQUENCE_PASSWORD", values.password),
        totp=_required("SEQUENCE_TOTP", values.totp),
    )


def get_sequence_config() -> SequenceConfig:
    """Return the ids of organization, KYC and login client; None for what is unset."""
    from seqdata.core.secret import opened

    values = get_settings()
    return SequenceConfig(values.org_id, opened(values.kyc_id), opened(values.auth0_client_id))


def find_data_dir() -> Path:
    """Return the data folder (tokens, audit log, limits, ``.env``).

    SEQUENCE_DATA_DIR where it is set; else the nearest folder of the user's own, from the
    working directory upward, that already holds such files or a cache folder marked as ours;
    else ``.``. The search ends with the home folder; outside of it, before a folder of another
    user. What others own or may write does not count, and a warning says so.

    Raises
    ------
    FolderNotOwn
        Audit log or limits of the user's own stand above, where others may write: without them
        the limits would begin anew. Or none is named or found, and the working directory is
        somebody else's (root is warned only), or gone.
    """
    if configured := os.environ.get("SEQUENCE_DATA_DIR"):
        return expanded(configured, "SEQUENCE_DATA_DIR")
    try:
        here = Path.cwd()
    except OSError as error:
        raise FolderNotOwn(Path(), f"it cannot be looked at: {error.strerror}") from None
    for folder in folders_upward(here):
        if _is_data_dir(folder):
            return _redirected(folder)
        if folder != here:
            _refuse_lost_limits(folder)
    if not is_owned(here):
        if os.geteuid() != 0:
            raise FolderNotOwn(here, why_not_own(here))
        _warn_of_root(here)  # in a container, what was mounted belongs to somebody outside
    return Path()


def missing(name: str, hint: str = "") -> MissingSetting:
    """Build the error for a variable that is needed now and not set."""
    if not hint and "SEQUENCE_DATA_DIR" not in os.environ:
        why = why_passed_over(find_data_dir() / ".env")
        hint = f"The .env file there was passed over ({why})." if why else ""
    return MissingSetting(name, _PURPOSES[name], hint)


def _required(name: str, value: Secret | None) -> str:
    if not value:
        raise missing(name)
    return value.get_secret_value()


def _masked(value: str | None) -> str:
    return "None" if value is None else "***"


def _is_data_dir(folder: Path) -> bool:
    marks = [mark for mark in _marks(folder) if counts(mark)]
    return bool(marks) and counts(folder)


def _marks(folder: Path) -> Iterator[Path]:
    """Yield what is there of the files that mark a data folder."""
    for name in (*_DATA_FILES, "ledgers", f"cache/{CACHE_MARKER}"):
        with suppress(OSError):
            if (folder / name).exists():
                yield folder / name
    with suppress(OSError):
        file = folder / ".env"  # elsewhere a virtual environment may have this name
        if file.is_file() and names_ours(file):
            yield file


@cache
def _warn_of_root(folder: Path) -> None:
    log.warning(
        "the working directory is another user's, and holds tokens and log from now on: path=%s; "
        "name a folder of your own in SEQUENCE_DATA_DIR", folder,
    )  # fmt: skip


def _refuse_lost_limits(folder: Path) -> None:
    """Raise where log or limits are the user's own, and others may write them or their folder."""
    for name in _MONEY_FILES:
        file = folder / name
        if file.exists() and is_owned(file) and is_owned(folder):
            for path in (file, folder):
                if why := why_not_own(path):
                    raise FolderNotOwn(path, why, is_above=True)


def _redirected(folder: Path) -> Path:
    """Follow a SEQUENCE_DATA_DIR that stands in the folder's own ``.env``."""
    from seqdata.config.envfile import read_env_file

    file = folder / ".env"
    moved = {} if why_not_own(file) else read_env_file(file)
    if "SEQUENCE_DATA_DIR" not in moved:
        return folder
    said = moved["SEQUENCE_DATA_DIR"].get_secret_value()
    there = folder / expanded(said, "SEQUENCE_DATA_DIR")
    try:
        return there if not there.exists() or counts(there) else folder
    except OSError as error:
        raise InvalidSetting("SEQUENCE_DATA_DIR", f"a folder ({error.strerror})") from None


def __getattr__(name: str) -> Path:
    if name == "DATA_DIR":
        return find_data_dir()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
