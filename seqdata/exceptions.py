"""Every error of the package, under one root.

The tree, by what an error means::

    SequenceError
    ├── ConfigurationError        you asked wrongly: settings
    │   ├── MissingSetting
    │   ├── InvalidSetting
    │   └── FolderNotOwn
    ├── UsageError                you asked wrongly: arguments
    │   ├── InvalidAmount
    │   ├── InvalidMoment
    │   ├── InvalidFilter
    │   ├── InvalidQuery
    │   ├── InvalidEvent
    │   ├── MissingColumns
    │   ├── DisguisedLedger
    │   └── MissingExtra
    ├── NotFound                  not there
    │   ├── UnknownOrganization
    │   ├── UnknownAccount
    │   └── UnknownTransfer
    ├── AuthenticationError       could not ask: the login or the token exchange
    │   ├── TokenExpiredError
    │   ├── NoBrowser
    │   └── LoginFailed           the login in the browser, and at which step
    │       ├── WrongEmail
    │       ├── WrongPassword
    │       ├── WrongCode
    │       ├── AccountLocked
    │       ├── PersonNeeded
    │       ├── PageChanged
    │       ├── ForeignPage
    │       ├── LoginUnreachable
    │       ├── LoginTimeout
    │       └── BrowserClosed
    ├── ServiceError              could not ask: the service or the way to it
    │   ├── ConnectionFailed
    │   ├── HTTPError
    │   │   ├── Unauthorized
    │   │   └── RateLimited
    │   ├── GraphQLError
    │   ├── PageSizeRefused
    │   ├── CursorExpired
    │   └── TransferRejected
    ├── UnexpectedAnswer          not understood
    │   └── PagingError
    ├── OutcomeNotRecorded        a transfer was sent, and the disk does not take its outcome
    ├── RemovalsRefused           not believed: a person decides
    ├── CacheError                the files on this disk
    │   ├── CorruptFile
    │   ├── CacheVersionMismatch
    │   ├── ForeignCache
    │   ├── CacheLocked
    │   ├── CacheMissing
    │   ├── ArchiveIncomplete
    │   └── FolderNotWritable
    └── SafeguardError            refused to protect money
        ├── TransferRefused       a check said no
        │   ├── AmountTooSmall
        │   ├── NoteNotAllowed
        │   ├── SameAccount
        │   ├── SourceNotAllowed
        │   ├── TransferLimitExceeded
        │   ├── DailyLimitExceeded
        │   ├── BalanceUnknown
        │   ├── InsufficientBalance
        │   ├── BalanceFell
        │   ├── RenamedAccount
        │   ├── OutcomeOpen
        │   ├── ClockOff
        │   └── NobodyThere
        ├── StageRefused          a staged transfer that cannot be used
        │   ├── StageUnknown
        │   ├── StageUsed
        │   ├── StageExpired
        │   └── ForeignStage
        ├── SettleRefused
        ├── ReadOnlyMode
        ├── AuditChainBroken
        ├── LimitsUnreadable
        ├── StillHeld
        └── TurnLost

An error takes facts and owns its sentence: ``str(error)`` says what happened, what was
expected and got, what was kept, and what to do next. ``exit_code`` is what the command line
ends with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from seqdata.core.text import format_cents as _dollars
from seqdata.core.text import printable


class SequenceError(Exception):
    """Root of all errors of seqdata.

    Its facts are kept as they came; its sentence is one that a terminal can show, whatever the
    service or a name put into it.
    """

    exit_code: ClassVar[int] = 1

    #: What :meth:`TransferDesk.settle` found out before this error.
    settled: Sequence[Any] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__str__" in vars(cls):
            cls.__str__ = _shown(cls.__str__)  # type: ignore[method-assign]

    def __str__(self) -> str:
        return printable(super().__str__())


def _shown(sentence: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(sentence)
    def shown(error: Any) -> str:
        return printable(sentence(error))

    return shown


# -- you asked wrongly ------------------------------------------------------------------------


class ConfigurationError(SequenceError):
    """A setting is missing or cannot be used."""

    exit_code = 2


class MissingSetting(ConfigurationError):
    """A setting that is needed now was not set."""

    def __init__(self, name: str, purpose: str, hint: str = "") -> None:
        super().__init__(name, purpose, hint)
        self.name, self.purpose, self.hint = name, purpose, hint

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return (
            f"{self.name} is not set; it is needed for {self.purpose}. "
            f"Set it in the environment or in the .env file of the data folder.{hint}"
        )


class InvalidSetting(ConfigurationError):
    """A setting has a value that cannot be used. The value of a secret is not shown."""

    def __init__(self, name: str, expected: str, got: str | None = None) -> None:
        super().__init__(name, expected, got)
        self.name, self.expected, self.got = name, expected, got

    def __str__(self) -> str:
        got = "" if self.got is None else f", got {self.got!r}"
        return f"{self.name} cannot be used: expected {self.expected}{got}."


class UsageError(SequenceError, ValueError):
    """An argument cannot be used."""

    exit_code = 2


class InvalidAmount(UsageError):
    """An amount of money that is no exact number of cents."""

    def __init__(self, amount: object) -> None:
        super().__init__(amount)
        self.amount = amount

    def __str__(self) -> str:
        if isinstance(self.amount, float):
            return (
                f"{self.amount!r} is a float, and floats cannot hold cents exactly. "
                'Give the amount as text ("12.34"), as a Decimal, or in whole cents.'
            )
        if isinstance(self.amount, int):
            return (
                f"{self.amount!r} cannot be used as an amount. Where cents are asked for, give "
                'a positive whole number; where dollars are, text ("12.34") or a Decimal.'
            )
        return (
            f"{self.amount!r} is not an amount of dollars. Expected text such as "
            '"12.34" or "$1,234.56", with at most two decimals.'
        )


class InvalidMoment(UsageError):
    """A date or time that cannot be read."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return (
            f"{self.value!r} is not a date. Expected a date or datetime, or text such as "
            '"2026-11", "2026-11-23" or "2026-11-23T09:30".'
        )


class InvalidFilter(UsageError):
    """A filter names something that does not exist; the choices are listed."""

    def __init__(self, name: str, value: object, choices: Sequence[str] = ()) -> None:
        super().__init__(name, value, tuple(choices))
        self.name, self.value, self.choices = name, value, tuple(choices)

    def __str__(self) -> str:
        return f"{self.name}={self.value!r} cannot be used.{_choices(self.choices)}"


class MissingColumns(UsageError):
    """A DataFrame lacks columns that a function works with."""

    def __init__(
        self, table: str, missing: Sequence[str], found: Sequence[str], source: str = ""
    ) -> None:
        super().__init__(table, tuple(missing), tuple(found), source)
        self.table, self.missing = table, tuple(missing)
        self.found, self.source = tuple(found), source

    def __str__(self) -> str:
        source = f" {self.source} makes one that has them." if self.source else ""
        return (
            f"The table {self.table} lacks {', '.join(self.missing)}; it has "
            f"{', '.join(self.found) or 'no columns'}.{source}"
        )


class DisguisedLedger(UsageError):
    """A share-safe ledger only shows; names and amounts in it are made up."""

    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.method = method

    def __str__(self) -> str:
        return (
            f"{self.method} cannot be used on a share-safe ledger: its names, ids and amounts are "
            "disguised. Nothing was done. Use the ledger that it was made from."
        )


class InvalidEvent(UsageError):
    """An event has a key that the audit log cannot write."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key, self.reason = key, reason

    def __str__(self) -> str:
        return (
            f"The key {self.key!r} cannot be written to the audit log: {self.reason}. "
            "Nothing was written. Use another name, and values that JSON knows."
        )


class InvalidQuery(UsageError):
    """SQL that cannot be answered."""

    def __init__(self, query: str, reason: str) -> None:
        super().__init__(query, reason)
        self.query, self.reason = query, reason

    def __str__(self) -> str:
        return (
            f"The query cannot be answered: {self.reason.rstrip('.')}. The tables are transfers, "
            "accounts, balances, details, legs, annotations and transfer_history."
        )


class MissingExtra(UsageError):
    """An optional part of the package was asked for and is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what, self.extra = what, extra

    def __str__(self) -> str:
        return (
            f"{self.what} needs the extra {self.extra!r}, which is not installed. "
            f"Install it with: pip install 'seqdata[{self.extra}]'."
        )


# -- not there --------------------------------------------------------------------------------


class NotFound(SequenceError, LookupError):
    """What was asked for does not exist."""


class UnknownOrganization(NotFound):
    """No such organization in this login, or several and none was chosen."""

    exit_code = 2

    def __init__(self, organization_id: str | None, known: Iterable[str] = ()) -> None:
        known = tuple(known)
        super().__init__(organization_id, known)
        self.organization_id, self.known = organization_id, known

    def __str__(self) -> str:
        if self.organization_id:
            start = f"This login has no organization {self.organization_id!r}."
        elif self.known:
            start = "This login has several organizations, and none was chosen."
        else:
            return "This login has no organization: the service listed none."
        if not self.known:
            return f"{start} Check SEQUENCE_ORG_ID and whose login this is."
        return (
            f"{start} It has: {', '.join(self.known)}. Set SEQUENCE_ORG_ID to one of them, or "
            'name it (--organization ID; "all" takes all of them).'
        )


class UnknownAccount(NotFound):
    """No account of that name or id, or several.

    ``candidates`` are the choices: those that it can be (``ambiguous``), those whose name
    comes near (``near``), else all.
    """

    exit_code = 2

    def __init__(
        self,
        account: str,
        candidates: Sequence[str] = (),
        *,
        ambiguous: bool = False,
        near: bool = False,
    ) -> None:
        super().__init__(account, tuple(candidates))
        self.account, self.candidates = account, tuple(candidates)
        self.ambiguous, self.near = ambiguous, near

    def __str__(self) -> str:
        if self.ambiguous:
            return (
                f"{self.account!r} can mean more than one account. "
                f"Use an id instead.{_choices(self.candidates)}"
            )
        if self.near:
            return (
                f"There is no account {self.account!r}. Did you mean "
                f"{' or '.join(self.candidates)}? A part of a name is not taken for it: give the "
                "whole name, or the id."
            )
        return f"There is no account {self.account!r}.{_choices(self.candidates)}"


class UnknownTransfer(NotFound):
    """No transfer with that id."""

    def __init__(self, transfer_id: str) -> None:
        super().__init__(transfer_id)
        self.transfer_id = transfer_id

    def __str__(self) -> str:
        return f"There is no transfer {self.transfer_id!r}. Check the id and the organization."


# -- could not ask: login ---------------------------------------------------------------------


class AuthenticationError(SequenceError):
    """The login or the token exchange failed."""

    exit_code = 3


class TokenExpiredError(AuthenticationError):
    """The token expired, and there is nothing to get another one with."""


class NoBrowser(AuthenticationError):
    """There is no browser to log in with, or the one there is does not start."""

    def __init__(self, path: Path | None = None, reason: str = "") -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
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


class LoginFailed(AuthenticationError):
    """The login in the browser failed.

    ``step`` is button, e-mail, password, code, return or token; ``page_said`` the page's own
    words, if any; ``check`` what to look at. ``kept`` is the folder with a picture and the text
    of the page, where SEQUENCE_DEBUG asked for them.
    """

    happened: ClassVar[str] = "the login refused"
    check: ClassVar[str] = "Log in by hand at the application's page to see more."

    def __init__(self, step: str, page_said: str = "") -> None:
        super().__init__(step, page_said)
        self.step, self.page_said = step, page_said
        self.kept: Path | None = None

    def __str__(self) -> str:
        kept = "" if self.kept is None else f" What the page showed is kept in {self.kept}."
        happened = f"The login stopped at the step {self.step!r}: {self._happened()}."
        return f"{happened}{self._quote()} {self.check}{kept}"

    def _happened(self) -> str:
        return self.happened

    def _quote(self) -> str:
        text = " ".join(self.page_said.split())[:300].rstrip(". ")
        return f' The page said: "{text}".' if text else ""


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


class ForeignPage(LoginFailed):
    """The login led away from the configured servers, or came back as another one."""

    check = "Nothing more was typed, and no token was kept. Check SEQUENCE_AUTH_URL."

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step)
        self.args = (step, reason)
        self.reason = reason

    def _happened(self) -> str:
        return f"the login was left, since {self.reason}"


class LoginUnreachable(LoginFailed):
    """A page of the login could not be loaded."""

    check = "Check the connection, SEQUENCE_APP_URL and SEQUENCE_AUTH_URL, then try again."

    def __init__(self, step: str, origin: str, reason: str) -> None:
        super().__init__(step)
        self.args = (step, origin, reason)
        self.origin, self.reason = origin, reason

    def _happened(self) -> str:
        return f"no page came from {self.origin} ({self.reason})"


class LoginTimeout(LoginFailed):
    """The page did not go on in time. ``seconds`` is how long it was waited for."""

    check = "Try again; where it happens twice, look at it with seqdata login --headed."

    def __init__(self, step: str, seconds: float, page_said: str = "") -> None:
        super().__init__(step, page_said)
        self.args = (step, seconds, page_said)
        self.seconds = seconds

    def _happened(self) -> str:
        return f"nothing happened within {self.seconds:.0f} seconds"


class BrowserClosed(LoginFailed):
    """The browser or its window was closed during the login."""

    happened = "the browser was closed"
    check = "Nothing was kept; log in again."


# -- could not ask: service -------------------------------------------------------------------


class ServiceError(SequenceError, RuntimeError):
    """The service could not be asked, or refused."""

    exit_code = 4


class ConnectionFailed(ServiceError):
    """No answer came: no connection, a cut one, or a timeout.

    ``body_sent`` is False where the request provably never left this machine.
    """

    def __init__(self, origin: str, reason: str, *, body_sent: bool = True) -> None:
        super().__init__(origin, reason)
        self.origin, self.reason, self.body_sent = origin, reason, body_sent

    def __str__(self) -> str:
        return (
            f"No answer from {self.origin}: {self.reason}. "
            "Check the connection and SEQUENCE_APP_URL, then try again."
        )


class HTTPError(ServiceError):
    """The service answered with HTTP status 400 or above."""

    def __init__(self, status: int, text: str = "", operation: str = "") -> None:
        super().__init__(status, text, operation)
        self.status, self.text, self.operation = status, text, operation

    def __str__(self) -> str:
        operation = f" (operation {self.operation})" if self.operation else ""
        text = " ".join(self.text.split())[:500].rstrip(". ")
        said = f": {text}" if text else ""
        return f"HTTP {self.status}{operation}{said}.{self._advice()}"

    def _advice(self) -> str:
        if self.status < 400:
            return " Redirects are not followed, to keep the token here; check SEQUENCE_APP_URL."
        if self.status == 403:
            return " The service's outer wall refused this request; wait, then try again."
        if self.status >= 500:
            return " The service has trouble of its own; what was read is kept. Try again later."
        return ""


class Unauthorized(HTTPError):
    """HTTP 401: the service does not accept the token."""

    exit_code = 3

    def _advice(self) -> str:
        return " The token was refused; log in again (seqdata login)."


class RateLimited(HTTPError):
    """HTTP 429 with a wait that is too long to sit out. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float | None, text: str = "", operation: str = "") -> None:
        super().__init__(429, text, operation)
        self.args = (retry_after, text, operation)
        self.retry_after = retry_after

    def _advice(self) -> str:
        if self.retry_after is None:
            return " The service asks for fewer requests; try again in some minutes."
        return (
            f" The service asks to wait {self.retry_after:.0f} seconds; "
            "what was read is kept. Try again after that."
        )


class GraphQLError(ServiceError):
    """The service answered with GraphQL errors (``.errors``) to ``.query``."""

    def __init__(self, errors: list[dict[str, Any]], query: str = "") -> None:
        super().__init__(errors, query)
        self.errors, self.query = errors, query

    def __str__(self) -> str:
        messages = "; ".join(_message(error).rstrip(". ") for error in self.errors)
        named = re.search(r"\b(?:query|mutation)\s+(\w+)", self.query)
        operation = f" (operation {named[1]})" if named else ""
        return (
            f"GraphQL errors: {messages or 'none given'}{operation}. What was read before is "
            "kept. Try again later; if it stays so, the service may have changed."
        )


class PageSizeRefused(ServiceError):
    """The service does not give pages of this size."""

    def __init__(self, size: int, said: str) -> None:
        super().__init__(size, said)
        self.size, self.said = size, said

    def __str__(self) -> str:
        said = self.said.rstrip(". ")
        return (
            f"The service refused pages of {self.size} transfers ({said}), and smaller ones too. "
            "What was read is kept. The service may have changed."
        )


class CursorExpired(ServiceError):
    """The service does not know a page's cursor any more."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said

    def __str__(self) -> str:
        said = self.said.rstrip(". ")
        return (
            f"The service does not know the place any more where the next page begins ({said}). "
            "What was read is kept. Run the sync again: it goes on by date."
        )


class RemovalsRefused(SequenceError):
    """More transfers vanished from the service at once than is believed without a person."""

    exit_code = 5

    def __init__(self, ids: Sequence[str], rows: int) -> None:
        super().__init__(tuple(ids), rows)
        self.ids, self.rows = tuple(ids), rows

    def __str__(self) -> str:
        more = f" and {len(self.ids) - 10:,} more" if len(self.ids) > 10 else ""
        some = ", ".join(self.ids[:10]) + more
        return (
            f"{len(self.ids):,} of {self.rows:,} transfers in the window that was read are not in "
            f"the service any more: {some}. Nothing was marked as removed; what was read is kept. "
            "If they are meant to be gone, sync again with accept_removals=True "
            "(--accept-removals)."
        )


class OutcomeNotRecorded(SequenceError):
    """A transfer was sent, and its outcome could not be written down."""

    exit_code = 7

    def __init__(self, status: str, intent_id: str, reason: str) -> None:
        super().__init__(status, intent_id, reason)
        self.status, self.intent_id, self.reason = status, intent_id, reason

    def __str__(self) -> str:
        reason = self.reason.rstrip(". ")
        return (
            f"The transfer {self.intent_id} was sent, and its outcome is {self.status!r}, but that "
            f"could not be written down ({reason}). Do not send it again. Mend the disk, then run "
            "seqdata transfer settle."
        )


class TransferRejected(ServiceError):
    """The service refused a transfer and said why. No money moved."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return f"Transfer failed: {self.message}"


# -- not understood ---------------------------------------------------------------------------


class UnexpectedAnswer(SequenceError, RuntimeError):
    """The service answered something that is not what its API answers."""

    exit_code = 4

    def __init__(self, what: str, expected: str, got: str) -> None:
        super().__init__(what, expected, got)
        self.what, self.expected, self.got = what, expected, got

    def __str__(self) -> str:
        return (
            f"The answer to {self.what} was not understood: "
            f"expected {self.expected}, got {self.got}.{self._advice()}"
        )

    def _advice(self) -> str:
        return " What was read before is kept. Try again; if it stays so, the service has changed."


class PagingError(UnexpectedAnswer):
    """The pages of a list do not follow each other; reading on would repeat or lose rows."""

    exit_code = 5

    def __init__(self, what: str, expected: str, got: str, pages: int = 0) -> None:
        super().__init__(what, expected, got)
        self.args = (what, expected, got, pages)
        self.pages = pages

    def _advice(self) -> str:
        pages = "The page" if self.pages == 1 else f"The {self.pages} pages"
        return (
            f" {pages} read before it stay on disk. "
            "Run the sync again; if it happens again, the service has changed."
        )


# -- the files on this disk -------------------------------------------------------------------


class CacheError(SequenceError):
    """The files on this disk cannot be used as they are."""


class CorruptFile(CacheError):
    """A file of ours cannot be read."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path, self.reason, self.remedy = path, reason, remedy

    def __str__(self) -> str:
        return f"{self.path} cannot be read ({self.reason}). Nothing was changed. {self.remedy}"


class CacheVersionMismatch(CacheError):
    """The cache was written with another version of the tables."""

    def __init__(self, folder: Path, found: object, expected: int) -> None:
        super().__init__(folder, found, expected)
        self.folder, self.found, self.expected = folder, found, expected

    def __str__(self) -> str:
        return (
            f"The cache in {self.folder} has tables of version {self.found}; this seqdata reads "
            f"version {self.expected}. Nothing was changed. Use the seqdata that wrote it, or "
            "make the cache anew: seqdata forget, then seqdata sync."
        )


class ForeignCache(CacheError):
    """The cache holds data of another server than the configured one."""

    def __init__(self, folder: Path, found: str, configured: str) -> None:
        super().__init__(folder, found, configured)
        self.folder, self.found, self.configured = folder, found, configured

    def __str__(self) -> str:
        return (
            f"The cache in {self.folder} holds data of {self.found}, but SEQUENCE_APP_URL is "
            f"{self.configured}. Nothing was changed. Set SEQUENCE_CACHE_DIR (or "
            "SEQUENCE_DATA_DIR) to another folder for another server."
        )


class CacheLocked(CacheError):
    """Another process is syncing this cache. ``holder`` says which."""

    def __init__(self, folder: Path, holder: str, waited: float = 0.0) -> None:
        super().__init__(folder, holder, waited)
        self.folder, self.holder, self.waited = folder, holder, waited

    def __str__(self) -> str:
        waited = f" after {self.waited:.0f} seconds of waiting" if self.waited else ""
        return (
            f"The cache in {self.folder} is being synced by {self.holder}{waited}. "
            "Wait for it to end, or give a time to wait (wait=60, --wait 60)."
        )


class CacheMissing(CacheError):
    """Nothing was synced into this folder yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"There is no synced data in {self.folder} yet. Run a sync first: seqdata sync."


class ArchiveIncomplete(CacheError):
    """The archive does not hold everything that the tables were made of."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"The tables in {self.folder} cannot be made again from the archive: {self.reason}. "
            "Nothing was changed. Read everything from the service instead: seqdata sync --full."
        )


class FolderNotWritable(CacheError):
    """A folder of ours cannot be written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot be written ({self.reason}). What was on disk is unchanged. "
            "Free space, mend its rights, or choose another folder (SEQUENCE_DATA_DIR and "
            "SEQUENCE_CACHE_DIR name those of seqdata)."
        )


class FolderNotOwn(ConfigurationError):
    """The working directory is not the user's alone, and no data folder is named."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"No data folder was found, and the working directory {self.folder} is not taken for "
            f"one: {self.reason}. Nothing was read or written. Go to a folder of your own, or name "
            "one in SEQUENCE_DATA_DIR."
        )


# -- refused to protect money -----------------------------------------------------------------


class SafeguardError(SequenceError):
    """Refused to protect money. Nothing was sent."""

    exit_code = 6


class ReadOnlyMode(SafeguardError):
    """SEQUENCE_READ_ONLY is on, and the document contains a mutation."""

    def __init__(self, operation: str = "") -> None:
        super().__init__(operation)
        self.operation = operation

    def __str__(self) -> str:
        which = self.operation or "The document"
        return (
            f"{which} would change something, and SEQUENCE_READ_ONLY is 1. Nothing was sent. "
            "Set SEQUENCE_READ_ONLY=0 to allow it."
        )


class StillHeld(SafeguardError):
    """Another program has held the transfers of a data folder for too long."""

    def __init__(self, lock: Path, holder: str, seconds: float) -> None:
        super().__init__(lock, holder, seconds)
        self.lock, self.holder, self.seconds = lock, holder, seconds

    def __str__(self) -> str:
        return (
            f"{self.lock} was held by {self.holder} for {self.seconds:.0f} seconds. Nothing was "
            "sent by this program. Let that one end, or end it, then try again."
        )


class TurnLost(SafeguardError):
    """The lock that keeps transfers apart was taken away while it was held."""

    def __init__(self, lock: Path) -> None:
        super().__init__(lock)
        self.lock = lock

    def __str__(self) -> str:
        return (
            f"{self.lock} was removed or replaced while it was held, so that another program may "
            "be sending. Nothing was sent by this one. Leave that file alone, and try again."
        )


class LimitsUnreadable(SafeguardError):
    """The file of the daily limits cannot be read, so no transfer may pass."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"The daily limits in {self.path} cannot be read ({self.reason}), so what was moved "
            "today is not known. Nothing was sent and the file is unchanged. Restore it from a "
            "backup, or, after checking today's transfers, move it away."
        )


class AuditChainBroken(SafeguardError):
    """Something other than seqdata changed the audit log, so no transfer may pass."""

    def __init__(self, path: Path, breaks: Sequence[str]) -> None:
        super().__init__(path, tuple(breaks))
        self.path, self.breaks = path, tuple(breaks)

    def __str__(self) -> str:
        more = len(self.breaks) - 3
        found = "; ".join(self.breaks[:3]) + (f"; and {more} more" if more > 0 else "")
        return (
            f"The audit log {self.path} is not as it was written ({found}). Nothing was sent. "
            "See all of it with seqdata audit verify. If you know why, or have compared the log "
            "with your transfers (seqdata audit reconcile), accept it as it is with: "
            "seqdata audit acknowledge."
        )


class TransferRefused(SafeguardError):
    """A check of the transfer desk said no. Nothing was sent."""


class AmountTooSmall(TransferRefused):
    """An amount of nothing or less, or below what the service moves. Both are in cents."""

    def __init__(self, amount_cents: int, least_cents: int) -> None:
        super().__init__(amount_cents, least_cents)
        self.amount_cents, self.least_cents = amount_cents, least_cents

    def __str__(self) -> str:
        return (
            f"{_dollars(self.amount_cents)} cannot be moved: the least that the service moves is "
            f"{_dollars(self.least_cents)}. Nothing was sent."
        )


class NoteNotAllowed(TransferRefused):
    """A note that is too long, or not printable. ``length`` and ``longest`` are in characters."""

    def __init__(self, length: int, longest: int) -> None:
        super().__init__(length, longest)
        self.length, self.longest = length, longest

    def __str__(self) -> str:
        if self.length <= self.longest:
            return (
                "The note has characters that cannot be printed, such as line ends. "
                "Nothing was sent. Write it in one line."
            )
        return (
            f"The note has {self.length} characters, and at most {self.longest} go with a "
            "transfer. Nothing was sent. Shorten it."
        )


class SameAccount(TransferRefused):
    """Source and destination are the same account."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.account = account

    def __str__(self) -> str:
        return f"{self.account} is both source and destination. Nothing was sent."


class SourceNotAllowed(TransferRefused):
    """The service does not let money be taken from this account."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.account = account

    def __str__(self) -> str:
        return (
            f"{self.account} cannot be the source of a transfer: the service does not take money "
            "from it. Nothing was sent."
        )


class TransferLimitExceeded(TransferRefused):
    """More than one transfer may move. Both are in cents."""

    def __init__(self, amount_cents: int, limit_cents: int) -> None:
        super().__init__(amount_cents, limit_cents)
        self.amount_cents, self.limit_cents = amount_cents, limit_cents

    def __str__(self) -> str:
        return (
            f"{_dollars(self.amount_cents)} is more than one transfer may move "
            f"({_dollars(self.limit_cents)}). Nothing was sent. The limit is "
            "SEQUENCE_MAX_TRANSFER_CENTS, and never above $21,474,836.47."
        )


class DailyLimitExceeded(TransferRefused):
    """More than what is left of the day's limit, over all users. All are in cents."""

    def __init__(self, amount_cents: int, limit_cents: int, used_cents: int, day: str) -> None:
        super().__init__(amount_cents, limit_cents, used_cents, day)
        self.amount_cents, self.limit_cents = amount_cents, limit_cents
        self.used_cents, self.day = used_cents, day

    def __str__(self) -> str:
        left = max(0, self.limit_cents - self.used_cents)
        return (
            f"{_dollars(self.amount_cents)} is more than what is left for {self.day}: "
            f"{_dollars(left)} of {_dollars(self.limit_cents)}, since {_dollars(self.used_cents)} "
            "were moved or are reserved, over all users. Nothing was sent. The limit is "
            "SEQUENCE_MAX_DAILY_TRANSFER_CENTS."
        )


class BalanceUnknown(TransferRefused):
    """The service does not say what the source holds."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.account = account

    def __str__(self) -> str:
        return (
            f"The service does not say what {self.account} holds, so it cannot be checked that "
            "the amount is there. Nothing was sent."
        )


class InsufficientBalance(TransferRefused):
    """The source holds less than the amount. Both are in cents."""

    def __init__(self, account: str, amount_cents: int, balance_cents: int) -> None:
        super().__init__(account, amount_cents, balance_cents)
        self.account = account
        self.amount_cents, self.balance_cents = amount_cents, balance_cents

    def __str__(self) -> str:
        return (
            f"{self.account} holds {_dollars(self.balance_cents)}, which is less than "
            f"{_dollars(self.amount_cents)}. Nothing was sent."
        )


class BalanceFell(TransferRefused):
    """The source holds less than was shown at review. All are in cents."""

    def __init__(self, account: str, shown_cents: int, own_cents: int, balance_cents: int) -> None:
        super().__init__(account, shown_cents, own_cents, balance_cents)
        self.account, self.shown_cents = account, shown_cents
        self.own_cents, self.balance_cents = own_cents, balance_cents

    def __str__(self) -> str:
        own = f" and {_dollars(self.own_cents)} of it were moved by you" if self.own_cents else ""
        return (
            f"{self.account} held {_dollars(self.shown_cents)} when you looked{own}, and now "
            f"holds {_dollars(self.balance_cents)}: something else took money. Nothing was sent. "
            "Stage the transfer again to see what is there."
        )


class RenamedAccount(TransferRefused):
    """An account has another name, or is of another kind, than was shown at review."""

    def __init__(self, was: str, now: str, account_id: str) -> None:
        super().__init__(was, now, account_id)
        self.was, self.now, self.account_id = was, now, account_id

    def __str__(self) -> str:
        return (
            f"You reviewed {self.was}, and the service calls it {self.now} now "
            f"({self.account_id}): it was renamed since you looked. Nothing was sent. Stage the "
            "transfer again, and see where the money goes."
        )


class OutcomeOpen(TransferRefused):
    """An earlier transfer between the same accounts has no known outcome yet."""

    def __init__(self, amount_cents: int, source: str, destination: str, since: str) -> None:
        super().__init__(amount_cents, source, destination, since)
        self.amount_cents, self.since = amount_cents, since
        self.source, self.destination = source, destination

    def __str__(self) -> str:
        return (
            f"It is not known whether {_dollars(self.amount_cents)} moved from {self.source} to "
            f"{self.destination} (sent {self.since}). Nothing was sent now. Find out with "
            "seqdata transfer settle, or stage with despite_unknown=True (--despite-unknown)."
        )


class ClockOff(TransferRefused):
    """The clock of this machine and that of the service are too far apart for a day's limit."""

    def __init__(self, here: str, there: str) -> None:
        super().__init__(here, there)
        self.here, self.there = here, there

    def __str__(self) -> str:
        return (
            f"This machine's clock says {self.here}, the service's {self.there}: which day a "
            "transfer counts to is not sure. Nothing was sent. Set the clock, then try again."
        )


class NobodyThere(TransferRefused):
    """A transfer at a real service where nobody can answer."""

    def __str__(self) -> str:
        return (
            "Nobody can answer here (there is no terminal, or a notebook that runs by itself), and "
            "this is a real account. Nothing was sent. Set SEQUENCE_ALLOW_UNATTENDED_TRANSFERS=1 "
            "to allow it."
        )


class StageRefused(SafeguardError):
    """A staged transfer cannot be used. Nothing was sent."""


class StageUnknown(StageRefused):
    """No desk of this data folder staged this, or it was changed since."""

    def __init__(self, stage_id: str) -> None:
        super().__init__(stage_id)
        self.stage_id = stage_id

    def __str__(self) -> str:
        return (
            f"The staged transfer {self.stage_id} is not one that was staged with this data "
            "folder and server, or it was changed since. Nothing was sent. Stage it again."
        )


class StageUsed(StageRefused):
    """A staged transfer is used once. ``state`` is what became of it."""

    def __init__(self, stage_id: str, state: str) -> None:
        super().__init__(stage_id, state)
        self.stage_id, self.state = stage_id, state

    def __str__(self) -> str:
        return (
            f"The staged transfer {self.stage_id} was used already ({self.state}). Nothing was "
            "sent now. Stage another one, if you mean to move money again."
        )


class StageExpired(StageRefused):
    """A staged transfer was confirmed too late. ``seconds`` is how long one lives."""

    def __init__(self, stage_id: str, seconds: int) -> None:
        super().__init__(stage_id, seconds)
        self.stage_id, self.seconds = stage_id, seconds

    def __str__(self) -> str:
        return (
            f"The staged transfer {self.stage_id} has expired: one lives {self.seconds} seconds "
            "(SEQUENCE_STAGE_SECONDS). Nothing was sent. Stage it again to see what is there now."
        )


class ForeignStage(StageRefused):
    """A staged transfer belongs to the user that staged it."""

    def __init__(self, owner: str, user: str) -> None:
        super().__init__(owner, user)
        self.owner, self.user = owner, user

    def __str__(self) -> str:
        return (
            f"This transfer was staged by {self.owner!r}, and you are {self.user!r} "
            "(SEQUENCE_USER). Nothing was sent. Stage one of your own."
        )


class SettleRefused(SafeguardError):
    """An open transfer cannot be settled the way it was asked; ``settled`` has the others."""

    def __init__(self, intent_id: str, reason: str) -> None:
        super().__init__(intent_id, reason)
        self.intent_id, self.reason = intent_id, reason

    def __str__(self) -> str:
        return (
            f"The transfer {self.intent_id} cannot be settled like that: {self.reason}. It stays "
            "open, and its amount stays reserved."
        )


def _choices(choices: Sequence[str]) -> str:
    return f" Choices: {', '.join(choices)}." if choices else ""


def _message(error: object) -> str:
    if isinstance(error, dict) and "message" in error:
        return str(error["message"])
    return str(error)
