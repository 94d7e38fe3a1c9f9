"""The book of a data folder: audit log, limits and turns. What must outlast a killed program.

Whoever moves money holds the turn; nobody else of the data folder does so meanwhile. What is
known of transfers is the union of log and limits file; what is written goes to the log first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from seqdata.core.files import PATIENCE, Held, holding
from seqdata.core.logs import logger
from seqdata.exceptions import LimitsUnreadable, SequenceError, TurnLost
from seqdata.safeguards import reservations
from seqdata.safeguards.audit import AuditLog, Entry, write_transition
from seqdata.safeguards.limits import DailyLimitTracker, DailyRecords
from seqdata.safeguards.lives import Life, join_reservations, read_lives

log = logger(__name__)

Lives = dict[str, Life]


class Book:
    """Reads and writes what is known of the transfers of a data folder.

    Parameters
    ----------
    folder
        The data folder.
    zone
        Whose days a limit is of; fixed for the life of the book.
    now
        The wall clock; returns a moment with a zone.
    """

    def __init__(self, folder: Path, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        folder = folder.absolute()  # os.chdir between two transfers changes nothing
        self.audit = AuditLog(folder / ".audit.jsonl", now=now)
        self._limits = DailyLimitTracker(folder / ".daily_limits.json", now=now, zone=zone)
        self._lock = folder / ".transfers.lock"
        self._held = threading.local()

    # -- turns --------------------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep all who move money in this data folder apart: nothing is in flight but ours.

        Raises
        ------
        StillHeld
            Another program has held the turn for a minute.
        """
        with holding(self._lock, patience=PATIENCE) as held:
            self._held.turn = held
            try:
                yield
            finally:
                self._held.turn = None

    def require_turn(self) -> None:
        """Raise TurnLost where this thread's turn was lost: its lock was taken away."""
        if not self.holds_turn:
            raise TurnLost(self._lock)

    @property
    def holds_turn(self) -> bool:
        """Whether nobody took this thread's turn away; true where it has none."""
        turn: Held | None = getattr(self._held, "turn", None)
        return turn is None or turn.is_held

    # -- what is known ------------------------------------------------------------------------

    def lives(self) -> Lives:
        """Read the life of every transfer, from the log and what only the limits file knows.

        Raises
        ------
        AuditChainBroken, LimitsUnreadable
            One of the files cannot be believed, so what is open is not known.
        """
        try:
            with self.day() as day:
                return day.lives
        except LimitsUnreadable:
            self.audit.require_intact()  # of two files that are broken, the log is said first
            raise

    def mended(self) -> Lives:
        """Bring what a dead program left in line, and read the lives; for who holds the turn."""
        with self.day() as day:
            day.mend()
            return day.lives

    def lives_at_rest(self) -> Lives:
        """Read the lives while no transfer is in flight; not for who holds the turn."""
        lives = self.lives()
        if any(life.is_open and life.state == "requested" for life in lives.values()):
            with self.turn():
                return self.lives()
        return lives

    @contextmanager
    def day(self) -> Iterator[Day]:
        """Hold the limits file, and give what is known and used of today, as both files say.

        Raises
        ------
        AuditChainBroken, LimitsUnreadable
            One of the files cannot be believed.
        """
        with self._limits.locked(prunes=False) as records:
            lives = read_lives(self.audit.intact_transitions())
            join_reservations(lives, records)
            yield Day(records, lives)

    # -- what is written ----------------------------------------------------------------------

    def write(self, event: str, facts: Entry) -> Entry:
        """Write an event of a transfer durably, marked as the desk's own."""
        return write_transition(self.audit, event, facts)

    def write_about(self, life: Life, event: str, user: str, **facts: Any) -> None:
        """Write an event about a transfer that was sent, and let its reservation follow.

        Raises
        ------
        TurnLost
            Another program may have found out something else meanwhile. Nothing was written.
        """
        self.require_turn()
        request = life.requested or {}
        kept = {word: request[word] for word in _REPEATED if word in request}
        # Its day, and when it was sent, where this becomes the only line that tells of it.
        kept |= {"requested_at": request.get("requested_at") or request.get("timestamp")}
        said = {"user_id": user, "intent_id": life.intent_id, **kept, **facts}
        life.take(self.write(event, said), life.requested_line)
        state = event.removeprefix("transfer_")
        if state in ("completed", "failed", "returned"):
            self.update_reservation(life.intent_id, state, life.transfer_id)

    def update_reservation(
        self, intent_id: str, state: str, transfer_id: str | None = None
    ) -> None:
        """Let a reservation follow an outcome that the log holds.

        Where that fails there is a warning: the next desk mends it.
        """
        try:
            with self._limits.locked(prunes=False) as records:
                reservations.update(records, intent_id, state, transfer_id)
        except SequenceError as error:
            log.warning("limits file not updated: intent=%s error=%s", intent_id, error)


#: What an event about a transfer that was sent repeats of its request.
_REPEATED = ("amount_cents", "source", "destination", "note", "source_id", "destination_id",
             "organization_id", "app_url", "served_at", "is_sandbox", "zone")  # fmt: skip


class Day:
    """Today's limit while the file is held: what is used of it, and a reservation more."""

    def __init__(self, records: DailyRecords, lives: Lives) -> None:
        self._records, self.lives = records, lives

    @property
    def date(self) -> str:
        """The day, in the book's zone."""
        return self._records.today

    @property
    def used_cents(self) -> int:
        """What counts to it, over all users, by log and limits file together."""
        return reservations.used_cents(self._records, self.lives)

    def mend(self) -> None:
        """Bring reservations that a dead program left in line with the log."""
        reservations.align(self._records, self.lives)

    def reserve(self, facts: Entry, user: str) -> None:
        """Count an amount to the day before it is sent."""
        reservations.reserve(self._records, facts, user)

    def mark_requested(self, intent_id: str) -> None:
        """Note in the limits file too that it is sent now: the log may be put back to before."""
        reservations.update(self._records, intent_id, "requested")

    def why_not_sent(self, intent_id: str) -> str:
        """Say why a transfer whose request is written down may not leave; "" where it may."""
        life = self.lives.get(intent_id)
        if life is None or life.state != "requested":
            return f"the audit log says that it is {life.state if life else 'gone'}"
        if not reservations.stands(self._records, intent_id):
            return "what it counts to today stands in the limits file no more"
        return ""
