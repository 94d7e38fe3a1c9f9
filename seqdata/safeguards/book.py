"""The book of a data folder: audit log, limits and turns. What must outlast a killed program.

Whoever moves money holds the turn; nobody else of the data folder does so meanwhile. What is
known of transfers is the union of log and limits file; what is written goes to the log first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from seqdata.exceptions import SequenceError, TurnLost
from seqdata.files import PATIENCE, Held, holding
from seqdata.safeguards.audit import AuditLog, write_transition
from seqdata.safeguards.journal import (
    Life,
    align,
    join_reservations,
    read_lives,
    reserve,
    settle_reservation,
    used_cents,
)
from seqdata.safeguards.limits import DailyLimitTracker, DailyRecords, Entry

log = logging.getLogger("seqdata")

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

    # -- turns --------------------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Iterator[Held]:
        """Keep all who move money in this data folder apart: nothing is in flight but ours.

        Raises
        ------
        StillHeld
            Another program has held the turn for a minute.
        """
        with holding(self._lock, patience=PATIENCE) as held:
            yield held

    def require_turn(self, turn: Held) -> None:
        """Raise TurnLost where the lock of the turn was taken away while it was held."""
        if not turn.is_held:
            raise TurnLost(self._lock)

    # -- what is known ------------------------------------------------------------------------

    def lives(self) -> Lives:
        """Read the life of every transfer, from the log and what only the limits file knows.

        Raises
        ------
        AuditChainBroken, LimitsUnreadable
            One of the files cannot be believed, so what is open is not known.
        """
        self.audit.require_intact()
        with self.day() as day:
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
        with self._records() as records:
            self.audit.require_intact()
            lives = read_lives(self.audit.transitions())
            join_reservations(lives, records, self.audit.acknowledged_at())
            yield Day(records, lives)

    def _records(self) -> Any:
        return self._limits.locked(prunes=False)

    # -- what is written ----------------------------------------------------------------------

    def write(self, event: str, facts: Entry) -> Entry:
        """Write an event of a transfer durably, marked as the desk's own."""
        return write_transition(self.audit, event, facts)

    def mend(self, lives: Lives) -> None:
        """Bring reservations that a dead program left in line with the log."""
        with self._records() as records:
            align(records, lives)

    def follow(self, intent_id: str, state: str, transfer_id: str | None = None) -> None:
        """Let a reservation follow an outcome that the log holds."""
        with self._records() as records:
            settle_reservation(records, intent_id, state, transfer_id)

    def follow_or_warn(self, intent_id: str, state: str, transfer_id: str | None) -> None:
        """Like :meth:`follow`; the log holds the outcome, so the next desk mends what fails."""
        try:
            self.follow(intent_id, state, transfer_id)
        except SequenceError as error:
            log.warning("limits file not updated: intent=%s error=%s", intent_id, error)


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
        return used_cents(self._records, self.lives)

    def mend(self) -> None:
        """Bring reservations that a dead program left in line with the log."""
        align(self._records, self.lives)

    def reserve(self, facts: Entry, user: str) -> None:
        """Count an amount to the day before it is sent."""
        reserve(self._records, facts, user)
