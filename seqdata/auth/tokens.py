"""The token file of the data folder, and what binds its token to a server.

``.tokens.json`` holds exactly the keys ``access_token``, ``refresh_token`` and ``expires_at``
(epoch seconds), since other programs read it and refuse more. ``.tokens.meta.json`` beside it
says which server the token is of: application, login, client, and a hash of the token.

============================  ==================================================================
the hash is of this token     it is of the two servers that the meta file names
else, its ``iss`` is          it is of that login; production's goes to production's application
another token's, or no file   only
else, no ``iss``, or no JWT   it is production's: other programs write nothing else
============================  ==================================================================

A token of another server counts as none, and is never sent.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from base64 import urlsafe_b64decode
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from seqdata.config.settings import Settings
from seqdata.core.files import read_json, remove_file, write_bytes, write_json
from seqdata.core.logs import logger
from seqdata.core.origins import PRODUCTION_APP, PRODUCTION_AUTH, origin_of
from seqdata.core.owners import is_owned
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import CorruptFile

log = logger(__name__)

#: How a token file that is there, and gives no token, is described.
UNUSABLE = "none that can be used: the file is corrupt, or of another server"

_UNREADABLE = "unreadable"

#: A token is used until this many seconds before its end; one that lives shorter than twice that,
#: until half of its life is over.
LEEWAY = 60.0


@dataclass(repr=False, slots=True)
class AuthTokens:
    """An access token, maybe a refresh token, and when the first ends (epoch seconds).

    Its repr masks, and it is not pickled.
    """

    access_token: str
    refresh_token: str | None
    expires_at: float

    def __repr__(self) -> str:
        refresh = "None" if self.refresh_token is None else "***"
        return (
            f"AuthTokens(access_token=***, refresh_token={refresh}, expires_at={self.expires_at!r})"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("tokens are not pickled: they would be written down")

    def is_fresh(self, now: float, leeway: float = LEEWAY) -> bool:
        """Tell whether the access token lives longer than so many seconds from `now`."""
        return self.expires_at - now > leeway


class TokenStore:
    """Reads and writes the tokens of one data folder for one configured server."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.data_dir / ".tokens.json"
        self.meta_path = settings.data_dir / ".tokens.meta.json"
        self.lock_path = settings.data_dir / ".tokens.lock"
        self._origin = {"app_url": settings.app_url, "auth_url": settings.auth_url}

    def read(self, *, keep_aside: bool = True) -> AuthTokens | None:
        """Return the tokens of the configured server; None where there are none.

        A corrupt file is moved aside, with a warning; without the lock it must not be
        (`keep_aside` False), since a good one may have taken its name meanwhile. A token that
        the service has rejected comes back as one that has ended.
        """
        tokens = self._read_file(keep_aside=keep_aside)
        if tokens is None:
            return None
        meta = self.read_meta()
        if not self._is_bound(tokens, meta):
            log.info("token file is of another server than the configured one: %s", self.path)
            return None
        if meta.get("rejected_sha256") == _sha256(access_token_of(tokens)):
            tokens.expires_at = 0.0
        return tokens

    def leeway(self, tokens: AuthTokens) -> float:
        """Tell how many seconds before its end a token is used no more."""
        meta = self.read_meta()
        written_at = meta.get("written_at")
        is_ours = meta.get("access_token_sha256") == _sha256(access_token_of(tokens))
        if not is_ours or not isinstance(written_at, int | float):
            return LEEWAY
        return min(LEEWAY, max(0.0, tokens.expires_at - written_at) / 2)

    def _is_bound(self, tokens: AuthTokens, meta: dict[str, Any]) -> bool:
        """Tell whether tokens are of the configured server."""
        digest = _sha256(access_token_of(tokens))
        if meta.get("access_token_sha256") == digest or _is_unreadable(meta):
            return all(meta.get(name) == url for name, url in self._origin.items())
        issuer = issuer_of(access_token_of(tokens))
        if issuer is None or issuer == PRODUCTION_AUTH:
            return self._origin == {"app_url": PRODUCTION_APP, "auth_url": PRODUCTION_AUTH}
        return issuer == self._origin["auth_url"]

    def client_id(self) -> str | None:
        """Return the client that the last login at the configured server showed."""
        meta = self.read_meta()
        client_id = meta.get("client_id")
        is_of_login = meta.get("auth_url") == self._origin["auth_url"]
        return client_id if is_of_login and isinstance(client_id, str) else None

    def write(self, tokens: AuthTokens, *, client_id: str | None) -> None:
        """Keep tokens, and bind them to the configured server and login client.

        No order of the two writes may leave a token beside the meta file of another server:
        where the server changes, the old token goes first.
        """
        meta = {
            **self._origin,
            "client_id": client_id,
            "access_token_sha256": _sha256(access_token_of(tokens)),
            "written_at": time.time(),
        }
        known = self.read_meta()
        if any(known.get(name) != url for name, url in self._origin.items()):
            remove_file(self.path)
        write_json(self.meta_path, meta)
        write_bytes(self.path, _document(tokens))

    def reject(self, access_token: Secret) -> None:
        """Remember that the service refused this token, so that it is not offered again."""
        tokens = self._read_file()
        if tokens is not None and access_token == access_token_of(tokens):
            rejected = {"rejected_sha256": _sha256(access_token)}
            write_json(self.meta_path, {**self._origin, **self.read_meta(), **rejected})

    def forget(self) -> bool:
        """Remove the tokens from this disk; tell whether there were any."""
        existed = self.path.exists()
        remove_file(self.path)
        remove_file(self.meta_path)
        return existed

    def describe(self, zone: tzinfo) -> str:
        """Say what token there is, and until when; never the token. Changes nothing."""
        tokens = self.read(keep_aside=False)
        if tokens is None:
            return UNUSABLE if self.path.exists() else "none"
        renewal = ", can be refreshed" if tokens.refresh_token else ""
        if tokens.expires_at <= time.time():
            return f"expired{renewal}"
        try:
            end = datetime.fromtimestamp(tokens.expires_at, zone)
        except (ValueError, OverflowError, OSError):  # further than a calendar reaches
            return f"valid without an end that could be{renewal}"
        return f"valid until {end:%Y-%m-%d %H:%M %Z}{renewal}"

    def read_meta(self) -> dict[str, Any]:
        """Return what binds the token; empty where there is no such file.

        An unreadable one may have named any server: it binds to none that is configured.
        """
        try:
            meta = read_json(self.meta_path, remedy="Log in again: seqdata login.")
        except FileNotFoundError:
            return {}
        except CorruptFile:
            meta = None
        return meta if isinstance(meta, dict) else dict.fromkeys(self._origin, _UNREADABLE)

    def _read_file(self, *, keep_aside: bool = True) -> AuthTokens | None:
        if self.path.exists() and not is_owned(self.path):
            log.warning("token file is another user's and counts as none: path=%s", self.path)
            return None
        try:
            return _parse(read_json(self.path, remedy="Log in again: seqdata login."))
        except FileNotFoundError:
            return None
        except (CorruptFile, TypeError, ValueError, OverflowError):
            if keep_aside:
                self._keep_aside()
            return None

    def _keep_aside(self) -> None:
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns()}")
        with suppress(OSError):
            Path(self.path).replace(aside)
            aside.chmod(0o600)
        log.warning("token file cannot be read and counts as none: moved_to=%s", aside)


def access_token_of(tokens: AuthTokens) -> Secret:
    """Return the access token, sealed."""
    return Secret(tokens.access_token)


def refresh_token_of(tokens: AuthTokens) -> Secret | None:
    """Return the refresh token, sealed: a traceback shows what a line names."""
    return None if tokens.refresh_token is None else Secret(tokens.refresh_token)


def _document(tokens: AuthTokens) -> SecretBody:
    return SecretBody((json.dumps(asdict(tokens), indent=2) + "\n").encode())


def _parse(data: Any) -> AuthTokens:
    tokens = AuthTokens(**data)
    usable = (
        isinstance(tokens.access_token, str)
        and re.fullmatch(r"[!-~]+", tokens.access_token)
        and isinstance(tokens.refresh_token, str | None)
        and isinstance(tokens.expires_at, int | float)
        and math.isfinite(tokens.expires_at)
    )
    if not usable:
        raise ValueError("a key of the token file has another type")
    return tokens


def _is_unreadable(meta: dict[str, Any]) -> bool:
    return meta.get("app_url") == _UNREADABLE


def issuer_of(access_token: Secret) -> str | None:
    """Return the origin of the login that a token says it is of: its ``iss``.

    None where it says nothing, as of a token that is no JWT; "" where what it says is no address.
    """
    issuer = claims_of(access_token).get("iss")
    if issuer is None:
        return None
    try:
        return origin_of(issuer) if urlsplit(issuer).hostname else ""
    except (AttributeError, TypeError, ValueError):
        return ""


def claims_of(access_token: Secret) -> dict[str, Any]:
    """Return what a token says of itself, unchecked; empty where it is no JWT."""
    try:
        _, payload, _ = access_token.get_secret_value().split(".")
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _sha256(secret: Secret) -> str:
    return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()
