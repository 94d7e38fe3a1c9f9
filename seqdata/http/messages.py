"""A request, its answer, and what is known of both when no answer came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from seqdata.core.origins import origin_of
from seqdata.core.secret import Secret, SecretBody
from seqdata.exceptions import (
    ConnectionFailed,
    HTTPError,
    RateLimited,
    Unauthorized,
    UnexpectedAnswer,
)


@dataclass(frozen=True)
class Request:
    """A prepared POST.

    Parameters
    ----------
    body
        Sealed where it holds a secret; `payload` is what leaves.
    once
        It changes something, so it is never sent a second time.
    token
        Becomes the authorization header where the request leaves, and is seen nowhere before.
    why_not_now
        Of what is sent once: asked before the first byte of the body leaves. What it says is why
        the body does not; "" lets it go.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | SecretBody = field(repr=False)
    operation: str = ""
    once: bool = False
    token: Secret | None = field(default=None, repr=False)
    why_not_now: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    @property
    def payload(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else self.body.get_secret_value()


@dataclass(frozen=True)
class Answer:
    """What came back, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def served_at(self) -> datetime | None:
        """The service's clock: its ``Date`` header, to the second, in UTC."""
        return _http_date(self.headers.get("date", ""))


@dataclass(frozen=True)
class Exchange:
    """One request on the wire: what left, and what came.

    Parameters
    ----------
    left
        False where the body provably never left this machine.
    answer
        The whole answer, or None where none came, or only a part of one.
    fault
        Why there is no whole answer.
    is_too_large
        The answer was larger than any answer of a service should be, and was given up.
    """

    left: bool
    answer: Answer | None = None
    fault: str = ""
    is_too_large: bool = False


def accepted(exchange: Exchange, request: Request) -> Answer:
    """Return the answer of an exchange, where its status is below 300.

    Raises
    ------
    ConnectionFailed
        No whole answer came.
    HTTPError
        The service refused: Unauthorized (401), RateLimited (429), or another status from 300
        up.
    UnexpectedAnswer
        The answer was larger than :data:`seqdata.http.curl.LARGEST_ANSWER`.
    """
    answer, asked = exchange.answer, request.operation or "the request"
    if exchange.is_too_large:
        raise UnexpectedAnswer(asked, "an answer of a usual size", exchange.fault)
    if answer is None:
        raise ConnectionFailed(origin_of(request.url), exchange.fault, body_sent=exchange.left)
    if answer.status < 300:
        return answer
    if answer.status == 401:
        raise Unauthorized(answer.status, answer.text, request.operation)
    if answer.status == 429:
        raise RateLimited(_retry_after(answer), answer.text, request.operation)
    raise HTTPError(answer.status, answer.text, request.operation)


def _retry_after(answer: Answer) -> float | None:
    """Seconds of a ``Retry-After`` header: a number, or a date against the service's clock."""
    value = answer.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    moment = _http_date(value)
    if moment is None:
        return None
    now = answer.served_at or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
