"""The pace of requests, kept by all threads and processes that share a data folder.

The web application's user is slow: at least `min_delay` seconds lie between the end of one
request of the account and the start of the next, plus a random 0 to `max_jitter`. Time that
has passed anyway counts. (service facts: 1.5 s and 0 to 2 s)
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seqdata.core.files import holding, open_note
from seqdata.core.logs import logger

log = logger(__name__)


class Pacer:
    """Gives out turns, one at a time, far enough apart.

    The time of the last request stands in `file`, and a turn is held under ``<file>.lock``, so
    that a second notebook waits for the first one's turn to end.

    Parameters
    ----------
    clock
        Seconds since the epoch: what processes of one machine agree on.
    """

    def __init__(
        self,
        file: Path,
        min_delay: float,
        max_jitter: float,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._file = file
        self._min_delay, self._max_jitter = min_delay, max_jitter
        self._clock, self._sleep, self._uniform = clock, sleep, uniform

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it: no other request of the account runs meanwhile."""
        if self._min_delay == 0 and self._max_jitter == 0:
            yield
            return
        with holding(Path(f"{self._file}.lock")):
            self._wait()
            try:
                yield
            finally:
                self._note_end()

    def _wait(self) -> None:
        apart = self._min_delay + self._uniform(0, self._max_jitter)
        since = self._clock() - self._last_end()
        if 0 <= since < apart:  # a time in the future: the clock was set back
            self._sleep(apart - since)

    def _last_end(self) -> float:
        try:
            return float(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0

    def _note_end(self) -> None:
        # An answer is in hand by now: a full disk must not take it away.
        try:
            with open_note(self._file) as stream:
                stream.write(f"{self._clock():.3f}")
        except OSError as error:
            log.warning("pace file cannot be written: path=%s error=%s", self._file, error.strerror)
