"""How many requests a key may send: a bucket that refills, or a window of a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.world.clock import MINUTE, SECOND


@dataclass(slots=True)
class _Used:
    """What a key has used: tokens of its bucket, or requests of a window that began."""

    since: int
    spent: float = 0.0


class Limits:
    """Counts the requests of each key, on the world's clock.

    That clock stands still, and a client that waits waits on the wall's. So the wall's seconds
    count beside the world's, unless `limit_clock` says otherwise.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        switches: Switches,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._switches, self._wall = clock, switches, wall
        self._began = wall()
        self._used: dict[str, _Used] = {}

    def _now(self) -> int:
        waited = self._wall() - self._began if self._switches.limit_clock == "both" else 0.0
        return self._clock() + int(waited * SECOND)

    def wait(self, key_id: str) -> int:
        """Count a request; the whole seconds that it comes too early, 0 where it is let in."""
        if self._switches.limit == "off":
            return 0
        now, most = self._now(), self._switches.limit_requests
        used = self._used.setdefault(key_id, _Used(now))
        count = self._bucket if self._switches.limit == "bucket" else self._window
        micros = count(used, now, most)
        return max(1, math.ceil(micros / SECOND)) if micros > 0 else 0

    def _bucket(self, used: _Used, now: int, most: int) -> float:
        """Take a token; how long it takes until there is one."""
        each = MINUTE / most
        used.spent = max(0.0, used.spent - (now - used.since) / each)
        used.since = now
        if used.spent + 1 <= most:
            used.spent += 1
            return 0.0
        return (used.spent + 1 - most) * each

    def _window(self, used: _Used, now: int, most: int) -> float:
        """Count a request of the minute that began with the first; how long it still lasts."""
        if now - used.since >= MINUTE:
            used.since, used.spent = now, 0.0
        if used.spent < most:
            used.spent += 1
            return 0.0
        return used.since + MINUTE - now
