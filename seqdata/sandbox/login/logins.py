"""The login's own state: who may log in, how far each one is, which codes were spent.

One-time codes are TOTP (RFC 6238) on the wall clock: six digits, SHA-1. The code of the period
before is taken too, and each one once. After too many wrong passwords or codes in a row the
account locks.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from seqdata.sandbox.login.tokens import Denied, Tokens
from seqdata.sandbox.world.world import User

WRONG_PASSWORD = "Wrong email or password"  # noqa: S105 - what the page says
WRONG_CODE = "The code you entered is invalid"
LOCKED = "Your account has been blocked after multiple consecutive login attempts"


@dataclass(frozen=True, slots=True)
class Variant:
    """How the login behaves.

    Parameters
    ----------
    selectors
        "usual"; "other" (``input[type=email]``, ``input[inputmode=numeric]``); or "unknown",
        fields that no description knows.
    device_check
        After the password comes a page that a person has to click.
    token_delay
        Seconds from the return until the page puts the token into its storage.
    flow
        "implicit": the token is in the fragment. "code": the page exchanges a code for it, and
        a refresh token comes with it.
    period
        Seconds that a one-time code lives.
    tries
        Wrong passwords and codes in a row until the account locks.
    wrong_state
        The login comes back with another state than it left with.
    """

    selectors: str = "usual"
    device_check: bool = False
    token_delay: float = 0.3
    flow: str = "implicit"
    period: int = 30
    tries: int = 5
    wrong_state: bool = False

    def __post_init__(self) -> None:
        for name, known in (("selectors", _SELECTORS), ("flow", ("implicit", "code"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}")
        if self.period < 1 or self.tries < 1 or self.token_delay < 0:
            raise ValueError("period and tries are from 1 up, token_delay from 0 up")


_SELECTORS = ("usual", "other", "unknown")


@dataclass(slots=True)
class Visit:
    """One login on its way: what it was asked for, and what has been shown so far."""

    redirect_uri: str
    response_type: str
    state: str
    email: str = ""
    knows_password: bool = False
    is_known_device: bool = False


class Logins:
    """Every login of the sandbox's user."""

    def __init__(
        self, user: User, tokens: Tokens, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.variant = Variant()
        self.completed = 0
        self._user, self._tokens, self._clock = user, tokens, clock
        self._visits: dict[str, Visit] = {}
        self._codes: dict[str, str] = {}
        self._spent: set[int] = set()
        self._failures = 0
        self._lock = threading.RLock()

    def change(self, **changes: Any) -> None:
        """Switch to a variant; what is not named is as usual. An account that locked opens."""
        with self._lock:
            self.variant = replace(Variant(), **changes)
            self._failures = 0
            self._spent.clear()

    def facts(self) -> dict[str, Any]:
        """Give the variant, and how many logins were completed."""
        with self._lock:
            return {**asdict(self.variant), "logins": self.completed, "locked": self.is_locked}

    @property
    def is_locked(self) -> bool:
        """Whether there were too many wrong passwords and codes."""
        return self._failures >= self.variant.tries

    def totp_uri(self) -> str:
        """Give the setup of the one-time codes as authenticator apps read it."""
        facts = urlencode({"secret": self._user.totp_secret, "period": self.variant.period})
        return f"otpauth://totp/seqdata%20sandbox:{self._user.email}?{facts}"

    # -- the steps -----------------------------------------------------------------

    def begin(self, query: Mapping[str, str], app_url: str) -> str:
        """Begin a login; give the id of its visit. It comes back to our application alone."""
        if query.get("client_id") != self._user.client_id:
            raise Denied(403, "unauthorized_client", "Unknown client")
        back = urlsplit(query.get("redirect_uri", ""))
        if f"{back.scheme}://{back.netloc}" != app_url:
            raise Denied(403, "unauthorized_client", "Callback URL mismatch")
        kind = query.get("response_type", "")
        if kind not in ("token", "code"):
            raise Denied(400, "unsupported_response_type", "response_type is token or code")
        visit = secrets.token_urlsafe(16)
        with self._lock:
            self._visits[visit] = Visit(back.geturl(), kind, query.get("state", ""))
        return visit

    def visit(self, name: str) -> Visit | None:
        """Give a login that is on its way."""
        with self._lock:
            return self._visits.get(name)

    def take_email(self, visit: Visit, email: str) -> str | None:
        """Take the e-mail address; what is wrong with it, or None."""
        if "@" not in email:
            return "Enter a valid email address"
        visit.email = email.strip().lower()
        return None

    def take_password(self, visit: Visit, password: str) -> str | None:
        """Check the password; what is wrong with it, or None."""
        with self._lock:
            if self.is_locked:
                return LOCKED
            right = visit.email == self._user.email and password == self._user.password
            visit.knows_password = right
            return None if right else self._count(WRONG_PASSWORD)

    def take_code(self, visit: Visit, code: str) -> str | None:
        """Check a one-time code, and spend it; what is wrong with it, or None."""
        with self._lock:
            if self.is_locked:
                return LOCKED
            now = int(self._clock() // self.variant.period)
            fitting = [n for n in (now, now - 1) if hmac.compare_digest(self._code(n), code)]
            if not visit.knows_password or not fitting or fitting[0] in self._spent:
                return self._count(WRONG_CODE)
            self._spent.add(fitting[0])
            self._failures = 0
            return None

    def finish(self, name: str) -> str:
        """Complete a login; give the address it goes back to."""
        with self._lock:
            visit = self._visits.pop(name)
            state = secrets.token_urlsafe(8) if self.variant.wrong_state else visit.state
            self.completed += 1
            if visit.response_type == "code":
                code = secrets.token_urlsafe(24)
                self._codes[code] = visit.redirect_uri
                return f"{visit.redirect_uri}?{urlencode({'code': code, 'state': state})}"
            answer = {
                "access_token": self._tokens.issue(),
                "expires_in": self._tokens.lifetime,
                "token_type": "Bearer",
                "state": state,
            }
            return f"{visit.redirect_uri}#{urlencode(answer)}"

    def exchange(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a code exchange: each code once, for the address it was sent to."""
        if given.get("client_id") != self._user.client_id:
            raise Denied(401, "invalid_client", "Unknown client")
        with self._lock:
            back = self._codes.pop(str(given.get("code", "")), None)
        if back is None or back != given.get("redirect_uri"):
            raise Denied(403, "invalid_grant", "Invalid authorization code")
        return {
            "access_token": self._tokens.issue(),
            "refresh_token": self._tokens.issue_refresh(),
            "expires_in": self._tokens.lifetime,
            "token_type": "Bearer",
        }

    def _count(self, said: str) -> str:
        self._failures += 1
        return LOCKED if self.is_locked else said

    def _code(self, counter: int) -> str:
        key = base64.b32decode(self._user.totp_secret)
        digest = hmac.digest(key, struct.pack(">Q", counter), "sha1")
        start = digest[-1] & 15
        number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
        return f"{number % 1_000_000:06d}"
