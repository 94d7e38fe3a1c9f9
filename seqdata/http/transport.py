"""Requests with pace: reads are asked again where that can help, what is sent once is not.

``Transport.send`` reads as a sentence: ``_send_with_retry → _send_paced → _send_once``. What
sends a single request is a plain callable (:data:`Send`); tests put a function there.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from seqdata.core.logs import logger
from seqdata.exceptions import (
    InvalidSetting,
    RateLimited,
    SequenceError,
    ServiceError,
)
from seqdata.http.curl import CurlSend
from seqdata.http.messages import Answer, Exchange, Request, accepted
from seqdata.http.pace import Pacer

if TYPE_CHECKING:
    from seqdata.config.settings import Settings

log = logger(__name__)

#: The longest ``Retry-After`` that is sat out, in seconds.
LONGEST_WAIT = 120.0

#: How often a read is sent at most.
ATTEMPTS = 5

Send = Callable[[Request], Exchange]


T = TypeVar("T")


def _as_it_is(answer: Answer) -> Any:
    return answer


class Transport:
    """Sends requests with pace and retry.

    Parameters
    ----------
    send
        Sends one request, and says what left and what came.
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

    def send(self, request: Request, read: Callable[[Answer], T] = _as_it_is) -> T:
        """Ask; return what is read of an answer below 300. It may be asked several times.

        Parameters
        ----------
        read
            Makes something of the answer; a ServiceError that it raises is one of the answer, and
            where it is passing, the request is repeated.

        Raises
        ------
        ConnectionFailed
            No answer, in :data:`ATTEMPTS` attempts.
        HTTPError
            The service refused: Unauthorized (401), RateLimited (429 with a ``Retry-After``
            over :data:`LONGEST_WAIT`, or none left to try), or another status from 300 up.
        UnexpectedAnswer
            The answer was larger than any of the service's.
        """
        if request.once:
            raise ValueError("what is sent once goes through send_once")
        return self._send_with_retry(request, read)

    def send_once(self, request: Request) -> Exchange:
        """Send a request a single time; say what left and what came, whatever that was."""
        with ExitStack() as turn:
            try:
                turn.enter_context(self._turn())
            except SequenceError as error:  # no turn could be had, so nothing was sent
                return Exchange(left=False, fault=str(error))
            try:
                return self._send_logged(request)
            except InvalidSetting as error:  # there is no way to send it
                return Exchange(left=False, fault=str(error))

    def close(self) -> None:
        """Close the connections; may be called again."""
        close = getattr(self._send_once, "close", None)
        if close is not None:
            close()

    def _send_with_retry(self, request: Request, read: Callable[[Answer], T]) -> T:
        attempt = 1
        while True:
            try:
                return read(self._send_paced(request))
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
        if attempt >= ATTEMPTS or not error.is_passing:
            return None
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= LONGEST_WAIT else None
        return min(30.0, 2.0 ** (attempt - 1)) * self._uniform(0.5, 1.0)

    def _send_paced(self, request: Request) -> Answer:
        with self._turn():
            exchange = self._send_logged(request)
        return accepted(exchange, request)

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._pacer is None else self._pacer.turn()

    def _send_logged(self, request: Request) -> Exchange:
        started = time.perf_counter()
        self.sent += 1
        exchange = self._send_once(request)
        answer = exchange.answer
        log.debug(
            "answer: operation=%s status=%s bytes=%s seconds=%.3f",
            request.operation,
            answer.status if answer else "none",
            len(answer.body) if answer else 0,
            time.perf_counter() - started,
        )
        return exchange


def open_transport(settings: Settings) -> Transport:
    """Build the transport of the settings, whose pace all users of the data folder share."""
    pacer = Pacer(settings.data_dir / ".pace", *settings.pace)
    return Transport(CurlSend(settings.ca_bundle), pacer=pacer)
