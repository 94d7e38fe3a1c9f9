"""Waiting for facts, never for time: a busy machine is slow, and not wrong.

No test waits as long as these bounds by itself; they only end one that would hang.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds until a single fact must have come true.
PATIENCE = 120.0

#: Seconds until a process that does real work must have ended.
LONG = 600.0

#: What a fact may raise while it is not true yet: a file is half written, a server not there.
NOT_YET = (OSError, ValueError, LookupError, AssertionError)


def until(fact: Callable[[], T], *, why: str, patience: float = PATIENCE) -> T:
    """Ask again and again until the answer is true, and return it.

    Parameters
    ----------
    fact
        Returns something true when it is so; until then something false, or one of `NOT_YET` is
        raised. Any other exception is passed on at once: then it cannot come true any more.
    why
        What is waited for, as a message names it.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            seen: object = fact()
        except NOT_YET as error:
            seen = error
        else:
            if seen:
                return seen  # type: ignore[return-value]
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:.0f} s in vain for {why}; last seen: {seen!r}")
        time.sleep(0.02)
