"""The audit log: one line of JSON for every event of a transfer, written before it is trusted."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqdata.config import find_data_dir
from seqdata.files import holding, sync_folder, writing_in

#: The events of a transfer's life. Others pass too.
EVENTS = (
    "transfer_staged",
    "transfer_confirmed",
    "transfer_requested",
    "transfer_completed",
    "transfer_failed",
    "transfer_cancelled",
    "transfer_expired",
    "transfer_unknown",
)


def utc_now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)


class AuditLog:
    """Appends events to a file of JSON lines that all processes of a data folder share.

    Parameters
    ----------
    path
        The file; by default ``.audit.jsonl`` in the data folder as it is now.
    now
        The clock of ``timestamp``; returns a moment with a zone.
    """

    def __init__(
        self, path: Path | str | None = None, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.path = find_data_dir() / ".audit.jsonl" if path is None else Path(path)
        self._now = now

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def log(
        self,
        event_type: str,
        *,
        user_id: int | str | None = None,
        user_name: str | None = None,
        transfer_id: str | None = None,
        amount_cents: int | None = None,
        source: str | None = None,
        destination: str | None = None,
        note: str | None = None,
        error: str | None = None,
    ) -> None:
        """Append one event; it is on the disk when this returns.

        Parameters
        ----------
        event_type
            One of :data:`EVENTS`, or another word of yours.
        amount_cents
            Whole cents.
        source, destination
            What the two ends of the transfer are called.

        Raises
        ------
        FolderNotWritable
            The event could not be written; do not go on as if it had been.
        """
        given = {
            "user_id": user_id,
            "user_name": user_name,
            "transfer_id": transfer_id,
            "amount_cents": amount_cents,
            "source": source,
            "destination": destination,
            "note": note,
            "error": error,
        }
        event = {
            "timestamp": self._now().astimezone(UTC).isoformat(),
            "event_type": event_type,
            **{key: value for key, value in given.items() if value is not None},
        }
        self._append(event)

    def _append(self, event: dict[str, Any]) -> None:
        # ASCII: letters that some readers take for the end of a line (U+2028) stay escaped.
        line = json.dumps(event).encode("ascii") + b"\n"
        with holding(Path(f"{self.path}.lock")), writing_in(self.path.parent):
            is_new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _write_whole(descriptor, _mending(descriptor) + line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                sync_folder(self.path.parent)


def _mending(descriptor: int) -> bytes:
    """Return the line end that a writer who died in the middle of a line left out, or nothing."""
    if os.fstat(descriptor).st_size == 0:
        return b""
    os.lseek(descriptor, -1, os.SEEK_END)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"


def _write_whole(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
