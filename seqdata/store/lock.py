"""One process writes a cache at a time, and the others are told which."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from seqdata.core.files import make_private_folder, read_json, write_json, writing_in
from seqdata.exceptions import CacheLocked, CorruptFile

_POLL_SECONDS = 0.05


class CacheLock:
    """The lock of one cache folder; taken again inside itself it only counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holder = folder / ".lock-holder.json"
        self._lock = FileLock(folder / ".lock", mode=0o600)
        #: Whether the last holder ended without letting go: it may have left things undone.
        self.predecessor_died = False

    @property
    def is_held(self) -> bool:
        """Whether this object holds it, in this thread."""
        return self._lock.is_locked

    @contextmanager
    def held(self, wait: float = 0.0) -> Iterator[None]:
        """Hold the lock while the block runs.

        Parameters
        ----------
        wait
            Seconds to wait for another holder; 0 refuses at once.

        Raises
        ------
        CacheLocked
            Another process (or thread) holds it; the error names it.
        """
        outermost = not self.is_held
        self._acquire(max(wait, 0.0))
        try:
            if outermost:
                # Killed while it wrote its name, it left the temporary file of that alone.
                unsaid = self._folder.glob(f".{self._holder.name}.*.tmp")
                self.predecessor_died = self._holder.exists() or any(unsaid)
                write_json(self._holder, _this_process())
            yield
        finally:
            if outermost:
                with suppress(OSError):
                    self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _acquire(self, wait: float) -> None:
        make_private_folder(self._folder)
        with writing_in(self._folder):
            try:
                self._lock.acquire(timeout=wait, poll_interval=_POLL_SECONDS)
            except Timeout as error:  # an OSError, which writing_in would take for a bad disk
                raise CacheLocked(self._folder, self._holder_words(), wait) from error

    def _holder_words(self) -> str:
        try:
            holder = read_json(self._holder, remedy="")
            return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
        except (OSError, CorruptFile, KeyError, TypeError):
            return "another process"


def _this_process() -> dict[str, Any]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
