"""The audit log: one line of JSON for every event of a transfer, written before it is trusted.

Each line carries ``seq`` and ``previous`` beside its event, so that a changed, removed, moved or
cut-off line shows (:mod:`seqdata.safeguards.chain`). The head of the chain stands beside the log,
in ``.audit.head.json``, and is written after the line, under the same lock.

What it shows are accidents and careless edits. Whoever may write both files can make them say
anything.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seqdata.config import find_data_dir
from seqdata.core.files import (
    PATIENCE,
    fixed_path,
    holding,
    narrow,
    read_json,
    sync_folder,
    write_json,
    writing_in,
)
from seqdata.exceptions import AuditChainBroken, CorruptFile, InvalidEvent
from seqdata.safeguards.chain import (
    CHAIN_KEYS,
    MARK,
    AuditReport,
    Head,
    Place,
    digest,
    examine,
    mark_of,
    parse_entry,
    place_after,
    place_without_head,
    read_lines,
)

Entry = dict[str, Any]

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
    "transfer_returned",
)

#: What the log writes of itself: a crash's leftovers were mended; a broken chain was accepted.
RECOVERED = "recovered"
ACKNOWLEDGED = "chain_acknowledged"

_OWN_KEYS = ("timestamp", *CHAIN_KEYS, MARK)


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
        chosen = find_data_dir() / ".audit.jsonl" if path is None else path
        self.path = fixed_path(chosen)  # os.chdir changes nothing
        self._now = now

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    @property
    def head_path(self) -> Path:
        """The file that says which line was the last: ``.audit.head.json``."""
        return self.path.with_name(f"{self.path.name.removesuffix('.jsonl')}.head.json")

    # -- writing ------------------------------------------------------------------------------

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
        **extra: Any,
    ) -> Entry:
        """Append one event; it is on the disk when this returns.

        It writes into a broken chain too, without hiding the break: see :meth:`require_intact`.
        What it writes changes no transfer of the desk, whatever event and id it names: the desk
        marks its own lines.

        Parameters
        ----------
        event_type
            One of :data:`EVENTS`, or another word of yours.
        amount_cents
            Whole cents.
        source, destination
            What the two ends of the transfer are called.
        **extra
            Keys of yours, such as ``intent_id``; JSON values. None is left out, as it is above.

        Returns
        -------
        dict
            The entry, as it stands in the file.

        Raises
        ------
        InvalidEvent
            A key is one that the log writes itself, or a value is not JSON. Nothing was written.
        FolderNotWritable
            The event could not be written; do not go on as if it had been.
        """
        if not isinstance(event_type, str):
            raise InvalidEvent(repr(event_type)[:60], "an event is a word")
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
        return self._log(_event(event_type, given, extra))

    def acknowledge(
        self,
        *,
        user_id: int | str | None = None,
        user_name: str | None = None,
        note: str | None = None,
    ) -> Entry | None:
        """Accept a broken chain as it is, and begin a new segment that holds on to it.

        Nothing is removed: the new line says what was found, and its hash is over the whole file
        before it, so that a later change of it shows. Only a person should decide this.

        Returns
        -------
        dict or None
            The entry; None where the chain was intact, and nothing was written.
        """
        with self._held():
            report, _ = self._examine()
            if report.is_intact:
                return None
            found = [str(one) for one in report.open_breaks]
            given = {"user_id": user_id, "user_name": user_name, "note": note}
            event = _event(ACKNOWLEDGED, given, {"breaks": found[:50], "break_count": len(found)})
            return self._append(event, self._new_segment(), is_marked=True)

    def _log(self, event: Entry, *, is_marked: bool = False) -> Entry:
        with self._held():
            return self._append(event, self._mend(self._place()), is_marked=is_marked)

    @contextmanager
    def _held(self) -> Iterator[None]:
        lock = Path(f"{self.path}.lock")
        with holding(lock, patience=PATIENCE), writing_in(self.path.parent):
            narrow(self.path)
            narrow(self.head_path)
            yield

    def _place(self) -> Place:
        """Find where the next line goes, from the head and what stands behind it."""
        head, error = self._read_head()
        if head is None:
            return place_without_head(self._read(), is_lost=bool(error))
        return place_after(head, self._read(head.start))

    def _mend(self, place: Place) -> Place:
        """Write down what a crash left, if it left anything; return the place after that."""
        if not place.leftovers:
            return place
        if place.behind is not None:
            self._write(b"")
            write_json(self.head_path, place.behind.to_json())
        self._append(_event(RECOVERED, {"note": "; ".join(place.leftovers)}, {}), place)
        return self._place()

    def _new_segment(self) -> Place:
        data = self._read()
        data += b"" if not data or data.endswith(b"\n") else b"\n"
        lines = list(read_lines(data))
        links = [line.link for line in lines if line.link]
        head, _ = self._read_head()
        last = max([0 if head is None else head.seq, *(link.seq for link in links)])
        # A file without any line of ours begins a new chain, and a chain begins with number 1.
        segment = max([1, *(link.segment or 0 for link in links)]) + 1
        return Place(last + 1, digest(data), len(lines), segment)

    def _append(self, event: Entry, place: Place, *, is_marked: bool = False) -> Entry:
        stamp = {"timestamp": self._now().astimezone(UTC).isoformat()}
        said = {**stamp, **event, **place.keys()}
        if is_marked:
            said[MARK] = mark_of(said)
        # ASCII: letters that some readers take for the end of a line (U+2028) stay escaped.
        line = json.dumps(said).encode("ascii") + b"\n"
        length = self._write(line)
        if place.has_head:
            head = Head(place.seq, digest(line), length - len(line), length, place.lines + 1)
            write_json(self.head_path, head.to_json())
        entry: Entry = json.loads(line)
        return entry

    def _write(self, line: bytes) -> int:
        """End a torn line, append one to the file, and return how long it is then."""
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            _write_whole(descriptor, _mending(descriptor, size) + line, size)
            os.fsync(descriptor)
            length = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.path.parent)
        return length

    # -- reading ------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return all entries, oldest first, other programs' too; unreadable lines are left out.

        An entry of ours has ``seq``. What an entry says counts only where the chain is intact:
        ask :meth:`require_intact`.
        """
        with writing_in(self.path.parent):
            lines = self._read().split(b"\n")
        found = (parse_entry(line) for line in lines if line)
        return [entry for entry in found if entry is not None]

    def foreign_entries(self) -> list[Entry]:
        """Return the entries that the desk did not write, oldest first: other programs', yours."""
        return [entry for entry in self.entries() if MARK not in entry]

    def transitions(self) -> list[Entry]:
        """Return the entries that the desk wrote, oldest first: they alone move a transfer.

        They count only where the chain is intact: see :meth:`intact_transitions`.
        """
        return self._look()[1]

    def intact_transitions(self) -> list[Entry]:
        """Return the entries that the desk wrote, where all of the log can be believed.

        Raises
        ------
        AuditChainBroken
            A line was changed, removed, moved, inserted or cut off.
        """
        report, entries = self._look()
        if not report.is_intact:
            raise AuditChainBroken(self.path, [str(one) for one in report.open_breaks])
        return entries

    def verify(self) -> AuditReport:
        """Look at every line and at the head; change nothing.

        Raises
        ------
        FolderNotWritable
            The log cannot be read, or its lock cannot be held.
        """
        return self._look()[0]

    def require_intact(self) -> None:
        """Do nothing where the chain is intact, or what broke it was acknowledged.

        Raises
        ------
        AuditChainBroken
            A line was changed, removed, moved, inserted or cut off. Send no money.
        """
        self.intact_transitions()

    def _look(self) -> tuple[AuditReport, list[Entry]]:
        with writing_in(self.path.parent):
            is_there = self.path.exists() or self.head_path.exists()
        if not is_there:
            return AuditReport(), []
        with self._held():
            return self._examine()

    def _examine(self) -> tuple[AuditReport, list[Entry]]:
        head, error = self._read_head()
        return examine(self._read(), head, head_error=error)

    def _read(self, start: int = 0) -> bytes:
        try:
            with self.path.open("rb") as stream:
                stream.seek(start)
                return stream.read()
        except FileNotFoundError:
            return b""

    def _read_head(self) -> tuple[Head | None, str]:
        """Return the head, or None; and why it cannot be read, where it is there."""
        try:
            return Head.parse(read_json(self.head_path, remedy="")), ""
        except FileNotFoundError:
            return None, ""
        except CorruptFile as error:
            return None, f"cannot be read ({error.reason})"
        except ValueError as error:
            return None, f"cannot be read ({error})"


def write_transition(log: AuditLog, event_type: str, facts: Entry) -> Entry:
    """Append an event with the mark of the desk: the only writer whose lines move a transfer."""
    return log._log(_event(event_type, {}, facts), is_marked=True)


def _event(event_type: str, given: Entry, extra: Entry) -> Entry:
    """Put an event together, and make sure that it can be written."""
    for name in _OWN_KEYS:
        if name in extra:
            raise InvalidEvent(name, "the log writes this key itself")
    event = {"event_type": event_type}
    for name, value in {**given, **extra}.items():
        if value is not None:
            event[name] = _json_value(name, value)
    return event


def _json_value(name: str, value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidEvent(name, str(error)) from error
    return value


def _mending(descriptor: int, size: int) -> bytes:
    """Return the line end that a writer who died in the middle of a line left out, or nothing."""
    if size == 0:
        return b""
    os.lseek(descriptor, -1, os.SEEK_END)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"


def _write_whole(descriptor: int, text: bytes, size: int) -> None:
    """Write all of it or, as far as the disk lets us, nothing."""
    if os.write(descriptor, text) != len(text):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
