"""Seconds, CPU seconds and peak memory of a block; standard library only, for the peer too."""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_STATUS = Path("/proc/self/status")


class Meter:
    """Measures its ``with`` block in this process.

    Attributes
    ----------
    seconds, cpu_seconds
        Of the block; CPU of all threads, user and system.
    peak_mb
        Highest resident memory in the block above that at its beginning, in MB: enter it
        after the imports.
    """

    def __enter__(self) -> Self:
        with suppress(OSError):
            # Linux: forget the peak so far, or one of the imports could hide one of the block.
            Path("/proc/self/clear_refs").write_text("5")
        self._memory = peak_mb()
        self._cpu = time.process_time()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._start
        self.cpu_seconds = time.process_time() - self._cpu
        self.peak_mb = peak_mb() - self._memory

    def facts(self) -> dict[str, float]:
        """Give what was measured, by name."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_mb": self.peak_mb}


def peak_mb() -> float:
    """Highest resident memory of this process so far, in MB.

    On Linux it is VmHWM: ``ru_maxrss`` of a child begins at the peak of the process that
    started it, even after exec.
    """
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    units = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * units / 1e6


def answer(facts: dict[str, Any]) -> None:
    """Hand the facts to the process that started this one: the last line of standard output."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    whole = {"process_cpu_seconds": usage.ru_utime + usage.ru_stime, "process_peak_mb": peak_mb()}
    print(json.dumps({**facts, **whole}), flush=True)
