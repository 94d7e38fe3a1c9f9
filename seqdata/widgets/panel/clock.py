"""Something done once a second, on a thread of its own, until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """Calls `tick` every `seconds` until :meth:`stop`, or until `tick` returns False.

    A thread, and no task of the kernel's loop: it goes on while a cell runs.
    """

    def __init__(self, tick: Callable[[], bool], seconds: float = 1.0) -> None:
        self._tick, self._seconds = tick, seconds
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to call it; once only."""
        threading.Thread(target=self._run, name="seqdata-panel-clock", daemon=True).start()

    def stop(self) -> None:
        """End; a call that is under way may still finish. May be called again."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            if not self._tick():
                return
