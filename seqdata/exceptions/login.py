"""Could not ask: the login, or the exchange of a token, failed."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import ClassVar

from seqdata.exceptions.base import SequenceError, told, without_stop


class AuthenticationError(SequenceError):
    """The login or the token exchange failed."""

    exit_code = 3


class TokenExpiredError(AuthenticationError):
    """The token expired, and there is nothing to get another one with."""


@told
class NoBrowser(AuthenticationError):
    """There is no browser to log in with, or the one there is does not start."""

    path: Path | None = None
    reason: str = ""
    sentence = "{_what}"

    @property
    def _what(self) -> str:
        if self.path is None:
            return (
                "There is no browser to log in with: neither Chrome, Chromium or Edge, nor one "
                "of Playwright's. Get one with seqdata browser install, or name one in "
                "SEQUENCE_BROWSER."
            )
        return (
            f"The browser {self.path} cannot be used ({self.reason}). Nothing was typed. See "
            "seqdata browser check, and name another one in SEQUENCE_BROWSER."
        )


@told
class LoginFailed(AuthenticationError):
    """The login in the browser failed.

    ``step`` is button, e-mail, password, code, return or token; ``page_said`` the page's own
    words, if any; ``check`` what to look at. ``kept`` is the folder with a picture and the text
    of the page, where SEQUENCE_DEBUG asked for them.
    """

    step: str
    page_said: str = ""
    kept: Path | None = field(default=None, init=False)
    happened: ClassVar[str] = "the login refused"
    check: ClassVar[str] = "Log in by hand at the application's page to see more."
    sentence = "The login stopped at the step {step!r}: {_happened}.{_quote} {check}{_kept}"

    @property
    def _happened(self) -> str:
        return self.happened

    @property
    def _quote(self) -> str:
        text = without_stop(" ".join(self.page_said.split())[:300])
        return f' The page said: "{text}".' if text else ""

    @property
    def _kept(self) -> str:
        return "" if self.kept is None else f" What the page showed is kept in {self.kept}."


class WrongEmail(LoginFailed):
    """The page refused the e-mail address."""

    happened = "the e-mail address was refused"
    check = "Check SEQUENCE_EMAIL."


class WrongPassword(LoginFailed):
    """The page refused the password. It was typed once."""

    happened = "the password was refused, and not tried again"
    check = "Check SEQUENCE_PASSWORD and SEQUENCE_EMAIL: each wrong try brings a lock nearer."


class WrongCode(LoginFailed):
    """The page refused the one-time code."""

    happened = "the one-time code was refused"
    check = (
        "Check SEQUENCE_TOTP (a code works once and for half a minute; a secret is the one of "
        "this account) and this machine's clock."
    )


class AccountLocked(LoginFailed):
    """The account is locked, or locked for a while."""

    happened = "the account is locked, and nothing more was tried"
    check = "Wait, or unlock it by the service's e-mail, before the next login."


class PersonNeeded(LoginFailed):
    """The page asks for a person: a captcha, a device check, an approval on a phone."""

    happened = "the page asks for a person"
    check = "Log in with the window shown: seqdata login --headed, or headless=False."


class PageChanged(LoginFailed):
    """The page has nothing that this login knows."""

    happened = "the page shows nothing that this login knows; it may have changed"
    check = (
        "Look at it with seqdata login --headed, and update seqdata; SEQUENCE_DEBUG=1 keeps a "
        "picture for a report."
    )


class BrowserClosed(LoginFailed):
    """The browser or its window was closed during the login."""

    happened = "the browser was closed"
    check = "Nothing was kept; log in again."


class ForeignPage(LoginFailed):
    """The login led away from the configured servers, or came back as another one."""

    check = "Nothing more was typed, and no token was kept. Check SEQUENCE_AUTH_URL."

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step)
        self.reason = reason
        self.args = (step, reason)

    @property
    def _happened(self) -> str:
        return f"the login was left, since {self.reason}"


class LoginUnreachable(LoginFailed):
    """A page of the login could not be loaded."""

    check = "Check the connection, SEQUENCE_APP_URL and SEQUENCE_AUTH_URL, then try again."

    def __init__(self, step: str, origin: str, reason: str) -> None:
        super().__init__(step)
        self.origin, self.reason = origin, reason
        self.args = (step, origin, reason)

    @property
    def _happened(self) -> str:
        return f"no page came from {self.origin} ({self.reason})"


class LoginTimeout(LoginFailed):
    """The page did not go on in time. ``seconds`` is how long it was waited for."""

    check = "Try again; where it happens twice, look at it with seqdata login --headed."

    def __init__(self, step: str, seconds: float, page_said: str = "") -> None:
        super().__init__(step, page_said)
        self.seconds = seconds
        self.args = (step, seconds, page_said)

    @property
    def _happened(self) -> str:
        return f"nothing happened within {self.seconds:.0f} seconds"
