"""One-time codes: from a code, a base32 secret, or an ``otpauth://`` URI (TOTP, RFC 6238).

A code is used once: what was used last is remembered in the data folder, so that neither a
second login nor another process offers it again. Remembered are hashes, never a code.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from base64 import b32decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from seqdata.core.files import read_json, write_json
from seqdata.core.logs import logger
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import CorruptFile, InvalidSetting, WrongCode

log = logger(__name__)

#: A code with fewer seconds left is not typed (or fewer than a third of its life).
MARGIN = 5.0

#: How many used codes are remembered.
REMEMBERED = 4

_ALGORITHMS = ("SHA1", "SHA256", "SHA512")
_USUAL = "a code of 6 to 8 digits, the authenticator's base32 secret, or its otpauth://totp/ URI"


class Codes(Protocol):
    """Where one-time codes come from."""

    @property
    def has_next(self) -> bool:
        """Whether another code can follow the one that was given."""

    def next_code(self, sleep: Callable[[float], None]) -> Secret:
        """Give a code that was not used yet, waiting for it where needed."""


class UsedCodes:
    """Remembers the codes that were used, as salted hashes in a file of the data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def has(self, code: SecretBody) -> bool:
        """Tell whether a code, as :func:`_keyed` made it unreadable, was used."""
        salt, known = self._read()
        return _mark(salt, code) in known

    def add(self, code: SecretBody) -> None:
        """Remember a code as used, before it is."""
        salt, known = self._read()
        used = [*known, _mark(salt, code)][-REMEMBERED:]
        write_json(self.path, {"salt": salt, "used": used})

    def _read(self) -> tuple[str, list[str]]:
        try:
            facts = read_json(self.path, remedy="It is written anew.")
            return str(facts["salt"]), [str(one) for one in facts["used"]]
        except FileNotFoundError:
            pass
        except (CorruptFile, KeyError, TypeError):
            log.warning("file of used one-time codes cannot be read, begun anew: %s", self.path)
        return secrets.token_hex(16), []


class FixedCode:
    """The one code of a setting that is a code itself."""

    has_next = False

    def __init__(self, code: Secret, used: UsedCodes) -> None:
        self._code, self._used = code, used
        self._keyed = _keyed(SecretBody(b"code"), code.get_secret_value())

    def next_code(self, sleep: Callable[[float], None]) -> Secret:  # noqa: ARG002
        """Give the code, once.

        Raises
        ------
        WrongCode
            It was used before.
        """
        if self._used.has(self._keyed):
            raise WrongCode(
                "code", "nothing yet: seqdata used this code before, and did not send it"
            )
        self._used.add(self._keyed)
        return self._code


@dataclass(frozen=True, repr=False)
class Setup:
    """What an authenticator app is set up with: the shared key, and how codes are made of it.

    Not a library's: pyotp 2.12 refuses keys under 112 bits and periods over 120 seconds, and
    80 bits (16 letters) are what many services hand out.
    """

    key: SecretBody
    digits: int = 6
    algorithm: str = "SHA1"
    period: int = 30

    def code(self, step: int) -> Secret:
        """Make the code of a time step (RFC 4226, section 5.3)."""
        digest = hmac.digest(self.key.get_secret_value(), step.to_bytes(8, "big"), self.algorithm)
        start = digest[-1] & 0x0F
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
        return Secret(f"{number % 10**self.digits:0{self.digits}d}")


class Authenticator:
    """Makes codes from a secret, as an authenticator app does.

    Parameters
    ----------
    clock
        Gives the epoch seconds.
    """

    has_next = True

    def __init__(
        self, setup: Setup, used: UsedCodes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._setup, self._used, self._clock = setup, used, clock

    def next_code(self, sleep: Callable[[float], None]) -> Secret:
        """Give the code of now, or of the next period where this one's is used or runs out."""
        while (seconds := self._seconds_to_wait()) > 0:
            log.info("waiting for the next one-time code: seconds=%.1f", seconds)
            sleep(seconds)
        step = self._step()
        self._used.add(_keyed(self._setup.key, str(step)))
        return self._setup.code(step)

    def code_of_now(self) -> str:
        """Give the code that an app shows now, for a person to compare; it is not used by that."""
        return str(self._setup.code(self._step()).get_secret_value())

    def _step(self) -> int:
        return int(self._clock() // self._setup.period)

    def _seconds_to_wait(self) -> float:
        period = self._setup.period
        left = period - self._clock() % period
        is_usable = left >= min(MARGIN, period / 3) and not self._used.has(
            _keyed(self._setup.key, str(self._step()))
        )
        return 0.0 if is_usable else left + 0.05


def read_codes(
    setting: Secret, used: UsedCodes, *, clock: Callable[[], float] = time.time
) -> Codes:
    """Read SEQUENCE_TOTP: a code, a base32 secret in any spacing and case, or a URI.

    Raises
    ------
    InvalidSetting
        It is none of them; its value is not shown.
    """
    setup: Setup | str
    if "://" in setting.get_secret_value():
        setup = _from_uri(setting)
    else:
        text = Secret(re.sub(r"[\s-]", "", setting.get_secret_value()))
        if re.fullmatch(r"[0-9]{6,8}", text.get_secret_value()):
            return FixedCode(text, used)
        key = _key(text)
        setup = Setup(key) if key else _USUAL
    if isinstance(setup, str):  # raised here, where no secret is in sight of a traceback
        raise InvalidSetting("SEQUENCE_TOTP", setup)
    return Authenticator(setup, used, clock=clock)


def _from_uri(setting: Secret) -> Setup | str:
    """Read a URI; of one that is refused, say what was expected."""
    uri = urlsplit(setting.get_secret_value().strip())
    facts = {name.lower(): values[-1] for name, values in parse_qs(uri.query).items()}
    kind = uri.netloc.lower() if uri.scheme.lower() == "otpauth" else uri.scheme.lower()
    if kind == "steam" or facts.get("encoder", "").lower() == "steam":
        return f"{_USUAL}; codes of Steam are not made here"
    if kind == "hotp":
        return f"{_USUAL}; an hotp URI counts its codes, which only one device can do"
    if kind == "otpauth-migration":
        return f"{_USUAL}; this is an export of several accounts, so copy the one secret"
    algorithm = facts.get("algorithm", "SHA1").upper().replace("-", "")
    digits, period = facts.get("digits", "6"), facts.get("period", "30")
    if kind == "totp" and (algorithm not in _ALGORITHMS or digits not in ("6", "7", "8")):
        return f"{_USUAL}; its algorithm SHA1, SHA256 or SHA512 and its digits 6 to 8"
    if kind == "totp" and not re.fullmatch(r"[1-9][0-9]{0,3}", period):
        return f"{_USUAL}; its period from 1 to 9999 seconds"
    key = _key(Secret(re.sub(r"[\s+-]", "", facts.get("secret", ""))))
    return Setup(key, int(digits), algorithm, int(period)) if kind == "totp" and key else _USUAL


def _key(secret: Secret) -> SecretBody | None:
    """Decode base32; None where it is none, or under 64 bits: a typing error, not a secret."""
    letters = Secret(secret.get_secret_value().upper().rstrip("="))
    padding = "=" * (-len(letters) % 8)
    try:
        key = SecretBody(b32decode(letters.get_secret_value() + padding))
    except ValueError:
        return None
    return key if len(key) >= 8 else None


def _keyed(key: SecretBody, code: str) -> SecretBody:
    """Return a code, or the time step of one, as only the holder of the key can make it."""
    return SecretBody(hmac.digest(key.get_secret_value(), code.encode(), "sha256"))


def _mark(salt: str, code: SecretBody) -> str:
    """Hash slowly: a code has few digits, and its hash should not give it away."""
    proof = code.get_secret_value()
    return hashlib.scrypt(proof, salt=salt.encode(), n=2**13, r=8, p=1, dklen=16).hex()
