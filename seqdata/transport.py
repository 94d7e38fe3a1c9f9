"""One seam to the network: a request goes in, an answer comes out.

``Transport.send`` reads as a sentence: ``_send_with_retry → _send_paced → _send_once``. What
sends a single request is a plain callable (:data:`Send`); tests put a function there.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from seqdata.exceptions import ConnectionFailed, HTTPError, RateLimited, ServiceError, Unauthorized
from seqdata.origins import is_loopback, origin_of
from seqdata.pace import Pacer

if TYPE_CHECKING:
    from curl_cffi.requests import Session

    from seqdata._settings import Settings

log = logging.getLogger("seqdata")

#: Seconds to wait for a connection, and for a whole answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0

#: The longest ``Retry-After`` that is sat out, in seconds.
LONGEST_WAIT = 120.0

#: How often a read is sent at most.
ATTEMPTS = 5


@dataclass(frozen=True)
class Request:
    """A prepared POST. `once`: it changes something, so it is never sent a second time."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    operation: str = ""
    once: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case."""

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


Send = Callable[[Request], Answer]


class Transport:
    """Sends requests with pace and retry.

    Parameters
    ----------
    send
        Sends one request; raises ConnectionFailed where no answer came.
    pacer
        Keeps requests apart, over all threads and processes of a data folder.
    sleep, uniform
        Stand in for waiting and chance in tests.
    """

    def __init__(
        self,
        send: Send | None = None,
        *,
        pacer: Pacer | None = None,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._send_once = send or CurlSend()
        self._pacer = pacer
        self._sleep = sleep
        self._uniform = uniform
        #: Requests sent so far, repeats included.
        self.sent = 0

    def send(self, request: Request) -> Answer:
        """Send a request; return an answer whose status is below 400.

        Raises
        ------
        ConnectionFailed
            No answer; reads were tried :data:`ATTEMPTS` times.
        HTTPError
            The service refused: Unauthorized (401), RateLimited (429 with a ``Retry-After``
            over :data:`LONGEST_WAIT`, or none left to try), or another status from 400 up.
        """
        if request.once:
            return _accepted(self._send_paced(request), request)
        return self._send_with_retry(request)

    def close(self) -> None:
        """Close the connections; may be called again."""
        close = getattr(self._send_once, "close", None)
        if close is not None:
            close()

    def _send_with_retry(self, request: Request) -> Answer:
        attempt = 1
        while True:
            try:
                return _accepted(self._send_paced(request), request)
            except ServiceError as error:
                wait = self._wait_before_retry(error, attempt)
                if wait is None:
                    raise
                log.warning(
                    "request failed, trying again: operation=%s attempt=%d wait=%.1fs error=%s",
                    request.operation, attempt, wait, type(error).__name__,
                )  # fmt: skip
            self._sleep(wait)
            attempt += 1

    def _wait_before_retry(self, error: ServiceError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None: give up.

        Without a ``Retry-After`` it is ``min(30, 2 ** (attempt - 1))``, of which a random
        half is taken off, so that two programs do not come back at the same moment.
        """
        if attempt >= ATTEMPTS or not _is_retryable(error):
            return None
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= LONGEST_WAIT else None
        return min(30.0, 2.0 ** (attempt - 1)) * self._uniform(0.5, 1.0)

    def _send_paced(self, request: Request) -> Answer:
        if self._pacer is None:
            return self._send_logged(request)
        with self._pacer.turn():
            return self._send_logged(request)

    def _send_logged(self, request: Request) -> Answer:
        started = time.perf_counter()
        self.sent += 1
        answer = self._send_once(request)
        log.debug(
            "answer: operation=%s status=%d bytes=%d seconds=%.3f",
            request.operation, answer.status, len(answer.body), time.perf_counter() - started,
        )  # fmt: skip
        return answer


def open_transport(settings: Settings) -> Transport:
    """Build the transport of the settings, whose pace all users of the data folder share."""
    return Transport(pacer=Pacer(settings.data_dir / ".pace", *settings.pace))


class CurlSend:
    """Sends over curl_cffi, which looks like Chrome down to the TLS handshake."""

    def __init__(self) -> None:
        self._session: Session[Any] | None = None

    def __call__(self, request: Request) -> Answer:
        """Send one request; raise ConnectionFailed where no answer came."""
        if not request.once:
            self._session = self._session or _new_session(request)
            return _post(self._session, request)
        # libcurl by itself repeats a request when a reused connection dies before the answer
        # begins. What may be sent only once gets a connection that was never used.
        with _new_session(request) as fresh:
            return _post(fresh, request)

    def close(self) -> None:
        """Close the connections; may be called again."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _new_session(request: Request) -> Session[Any]:
    from curl_cffi import CurlOpt
    from curl_cffi.requests import Session

    return Session(
        impersonate="chrome",
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        # No proxy stands between a program and its own machine.
        curl_options={CurlOpt.NOPROXY: "*"} if is_loopback(request.url) else {},
        # On plain HTTP (a sandbox) curl would ask for an upgrade to h2c, which Chrome never does.
        http_version="v1" if request.url.startswith("http:") else None,
        allow_redirects=False,  # a redirect would carry the token elsewhere
    )


def _post(session: Session[Any], request: Request) -> Answer:
    from curl_cffi.requests.exceptions import RequestException

    try:
        got = session.post(
            request.url, data=request.body, headers=_without_navigation(request.headers)
        )
    except RequestException as error:
        raise _connection_failed(request, error) from None
    headers = {name.lower(): value for name, value in got.headers.items() if value}
    return Answer(got.status_code, headers, got.content)


def _without_navigation(headers: Mapping[str, str]) -> dict[str, str | None]:
    # The impersonation adds these two, which Chrome sends when a person opens a page; a call
    # of the web application to its API has neither. None takes a header out.
    return {**headers, "Upgrade-Insecure-Requests": None, "Sec-Fetch-User": None}


def _connection_failed(request: Request, error: Exception) -> ConnectionFailed:
    from curl_cffi import CurlECode

    never_sent = {
        CurlECode.UNSUPPORTED_PROTOCOL,
        CurlECode.URL_MALFORMAT,
        CurlECode.COULDNT_RESOLVE_PROXY,
        CurlECode.COULDNT_RESOLVE_HOST,
        CurlECode.COULDNT_CONNECT,
        CurlECode.SSL_CONNECT_ERROR,
        CurlECode.PEER_FAILED_VERIFICATION,
    }
    code = getattr(error, "code", None)
    reason = str(error).split(" See ", maxsplit=1)[0].rstrip(". ")
    return ConnectionFailed(origin_of(request.url), reason, body_sent=code not in never_sent)


def _accepted(answer: Answer, request: Request) -> Answer:
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


def _is_retryable(error: ServiceError) -> bool:
    if isinstance(error, HTTPError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, ConnectionFailed)
