"""Could not ask, or not understood: the service, the way to it, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seqdata.exceptions.base import SequenceError, told, without_stop


class ServiceError(SequenceError, RuntimeError):
    """The service could not be asked, or refused."""

    exit_code = 4

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered a little later."""
        return False


@told
class ConnectionFailed(ServiceError):
    """No answer came: no connection, a cut one, or a timeout.

    ``body_sent`` is False where the request provably never left this machine.
    """

    origin: str
    reason: str
    body_sent: bool = True
    sentence = (
        "No answer from {origin}: {reason}. Check the connection and SEQUENCE_APP_URL, then try "
        "again."
    )

    @property
    def is_passing(self) -> bool:
        """True: the next connection may be a good one."""
        return True


@told
class HTTPError(ServiceError):
    """The service answered with HTTP status 400 or above."""

    status: int
    text: str = ""
    operation: str = ""
    sentence = "HTTP {status}{_operation}{_said}.{_advice}"

    @property
    def is_passing(self) -> bool:
        """Whether the service is busy, or at fault itself."""
        return self.status == 429 or self.status >= 500

    @property
    def _operation(self) -> str:
        return f" (operation {self.operation})" if self.operation else ""

    @property
    def _said(self) -> str:
        text = without_stop(" ".join(self.text.split())[:500])
        return f": {text}" if text else ""

    @property
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

    @property
    def _advice(self) -> str:
        return " The token was refused; log in again (seqdata login)."


class RateLimited(HTTPError):
    """HTTP 429 with a wait that is too long to sit out. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float | None, text: str = "", operation: str = "") -> None:
        super().__init__(429, text, operation)
        self.retry_after = retry_after
        self.args = (retry_after, text, operation)

    @property
    def _advice(self) -> str:
        if self.retry_after is None:
            return " The service asks for fewer requests; try again in some minutes."
        return (
            f" The service asks to wait {self.retry_after:.0f} seconds; "
            "what was read is kept. Try again after that."
        )


#: Codes of errors under which the same question may be answered later, as after HTTP 429 or 500.
_PASSING = frozenset(
    {
        "INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT",
        "GATEWAY_TIMEOUT", "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "TOO_MANY_REQUESTS", "THROTTLED",
    }
)  # fmt: skip


@told
class GraphQLError(ServiceError):
    """The service answered with GraphQL errors (``.errors``) to ``.query``."""

    errors: list[dict[str, Any]]
    query: str = ""
    sentence = (
        "GraphQL errors: {_messages}{_operation}. What was read before is kept. Try again later; "
        "if it stays so, the service may have changed."
    )

    @property
    def codes(self) -> frozenset[str]:
        """What the service calls its errors in ``extensions.code``; "" where it does not."""
        found = (one.get("extensions") if isinstance(one, dict) else None for one in self.errors)
        return frozenset(str(x.get("code") or "") if isinstance(x, dict) else "" for x in found)

    @property
    def is_passing(self) -> bool:
        """Whether all its errors are such as HTTP 429 or 500, by their codes."""
        return bool(self.codes) and self.codes <= _PASSING

    @property
    def _messages(self) -> str:
        return "; ".join(without_stop(_message(one)) for one in self.errors) or "none given"

    @property
    def _operation(self) -> str:
        named = re.search(r"\b(?:query|mutation)\s+(\w+)", self.query)
        return f" (operation {named[1]})" if named else ""


@told
class TransferRejected(ServiceError):
    """The service refused a transfer and said why. No money moved."""

    message: str
    sentence = "Transfer failed: {message}"


@told
class UnexpectedAnswer(SequenceError, RuntimeError):
    """The service answered something that is not what its API answers."""

    what: str
    expected: str
    got: str
    exit_code = 4
    sentence = "The answer to {what} was not understood: expected {expected}, got {got}.{_advice}"

    @property
    def _advice(self) -> str:
        return " What was read before is kept. Try again; if it stays so, the service has changed."


@told
class PagingError(UnexpectedAnswer):
    """The pages of a list do not follow each other; reading on would repeat or lose rows."""

    pages: int = 0
    exit_code = 5

    @property
    def _advice(self) -> str:
        pages = "The page" if self.pages == 1 else f"The {self.pages} pages"
        return (
            f" {pages} read before it stay on disk. "
            "Run the sync again; if it happens again, the service has changed."
        )


@told
class SyncsFailed(SequenceError):
    """Some of several organizations could not be synced; ``.reports`` are those of the others.

    ``.failed`` has an organization's id and its error's sentence each; the exit code is that of
    the worst.
    """

    failed: Sequence[tuple[str, str]]
    reports: Sequence[Any] = ()
    worst: int = 1
    sentence = (
        "{_count} of {_all} organizations could not be synced; the others were. What was read is "
        "kept.{_each}"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.exit_code = self.worst  # type: ignore[misc]

    @property
    def _count(self) -> int:
        return len(self.failed)

    @property
    def _all(self) -> int:
        return len(self.failed) + len(self.reports)

    @property
    def _each(self) -> str:
        return "".join(
            f" {organization_id}: {sentence}" for organization_id, sentence in self.failed
        )


def _message(error: object) -> str:
    if isinstance(error, dict) and "message" in error:
        return str(error["message"])
    return str(error)
