"""The daily limit: what was moved today, in one file that all processes share.

The file is ``{date: {user or "__global__": [{transfer_id, amount_cents, timestamp}]}}``. A date
is a day of the reporting zone when the entry was made. The desk counts an entry by its own moment,
as long as it is still that day in the desk's zone or in the one where it was made, so that another
zone gives no second day. An entry may carry more keys, such as its ``zone`` or the ``state`` of a
reservation; it counts all the same. A file that cannot be understood stops everything: it never
counts as empty.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seqdata.config import find_data_dir, get_settings
from seqdata.core.files import (
    PATIENCE,
    fixed_path,
    holding,
    narrow,
    read_json,
    write_json,
    writing_in,
)
from seqdata.core.moments import parse_timestamp
from seqdata.exceptions import CorruptFile, InvalidAmount, LimitsUnreadable, TurnLost, UsageError
from seqdata.safeguards.audit import Entry, utc_now

Days = dict[str, dict[str, list[Entry]]]

#: More cents than anybody moves: beyond it somebody mistyped.
MOST_CENTS = 10**15

#: The key of the entries that are of no user.
GLOBAL_KEY = "__global__"

#: Entries of days further back than this are dropped when the file is next written.
KEPT_DAYS = 2


@dataclass
class DailyRecords:
    """The parsed file while it is held. What is changed in `days` is written when it is let go.

    `now` is the moment it was opened, in the reporting zone; `today` is that day's key.
    """

    days: Days
    now: datetime

    @property
    def today(self) -> str:
        """The key of the current day."""
        return self.now.date().isoformat()

    def used_cents(self, user_key: str | None = None, *, day: str | None = None) -> int:
        """Sum the entries filed under a day, in cents: of one key, or of all where it is None."""
        keys = self.days.get(day or self.today, {})
        return sum(
            entry["amount_cents"]
            for key, entries in keys.items()
            if user_key is None or key == user_key
            for entry in entries
        )

    def of_today(self) -> Iterator[Entry]:
        """Yield the entries whose own moment falls on today, wherever they are filed."""
        for filed, keys in self.days.items():
            for entry in (one for entries in keys.values() for one in entries):
                if self.is_of_today(entry, filed):
                    yield entry

    def is_of_today(self, entry: Entry, filed: str = "") -> bool:
        """Tell whether an entry's own moment falls on today: here, or where it was made.

        Its moment is that of this machine or that of the service: one that says today is enough,
        so that a clock that was set right gives no second day.

        Parameters
        ----------
        filed
            Its day where its moment cannot be read.
        """
        moments = [_moment(entry.get(name)) for name in ("timestamp", "served_at")]
        if moments[0] is None:
            return filed == self.today
        zones = (self.now.tzinfo, _zone(entry.get("zone")))
        return any(
            _is_same_day(moment, self.now, zone)
            for moment in moments
            for zone in zones
            if moment is not None and zone is not None
        )

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield all entries, with their keys."""
        for keys in self.days.values():
            for key, entries in keys.items():
                for entry in entries:
                    yield key, entry

    def add(self, user_key: str, transfer_id: str | None, amount_cents: int, **more: Any) -> None:
        """Add an entry to today; `more` are keys beside the usual three."""
        entry = {
            "transfer_id": transfer_id,
            "amount_cents": amount_cents,
            "timestamp": self.now.astimezone(UTC).isoformat(),
            **more,
        }
        self.days.setdefault(self.today, {}).setdefault(user_key, []).append(entry)


class DailyLimitTracker:
    """Counts what each user moved today.

    Parameters
    ----------
    path
        The file; by default ``.daily_limits.json`` in the data folder as it is now.
    max_daily_cents
        The most that one key may move in a day, in cents; exactly this much is allowed.
    now
        The clock; returns a moment with a zone.
    zone
        Whose days count; by default SEQUENCE_TIMEZONE as it is at each call.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        max_daily_cents: int = 2_500_000,
        *,
        now: Callable[[], datetime] = utc_now,
        zone: ZoneInfo | None = None,
    ) -> None:
        chosen = find_data_dir() / ".daily_limits.json" if path is None else path
        self.path = fixed_path(chosen)
        if zone is not None and not isinstance(zone, ZoneInfo):
            raise UsageError(f"zone={zone!r} cannot be used. Expected a ZoneInfo.")
        _require_cents(max_daily_cents)
        self._zone = zone
        self.max_daily_cents = max_daily_cents
        self._now = now

    def __repr__(self) -> str:
        return f"DailyLimitTracker({str(self.path)!r}, max_daily_cents={self.max_daily_cents})"

    def check(self, amount_cents: int, *, user_id: int | str | None = None) -> tuple[bool, int]:
        """Tell whether an amount still fits into today's limit, and how much is left before it.

        Parameters
        ----------
        amount_cents
            Whole cents, 0 or more.
        user_id
            Whose entries count; None for those of no user.

        Returns
        -------
        tuple of bool and int
            Allowed or not; the cents that are left today, never below 0.

        Raises
        ------
        LimitsUnreadable
            The file cannot be understood. It is left as it is.
        InvalidAmount
            The amount is no whole number of cents.
        """
        _require_cents(amount_cents)
        with self.locked() as records:
            remaining = self.max_daily_cents - records.used_cents(key_of(user_id))
        return amount_cents <= remaining, max(0, remaining)

    def record(
        self, amount_cents: int, transfer_id: str | None, *, user_id: int | str | None = None
    ) -> None:
        """Count a transfer to today. It is on the disk when this returns.

        Parameters
        ----------
        amount_cents
            Whole cents, 0 or more.

        Raises
        ------
        LimitsUnreadable
            The file cannot be understood. It is left as it is.
        FolderNotWritable
            The entry could not be written.
        InvalidAmount
            The amount is no whole number of cents.
        """
        _require_cents(amount_cents)
        if transfer_id is not None and not isinstance(transfer_id, str):
            raise UsageError(f"transfer_id={transfer_id!r} cannot be used. Expected text, or None.")
        with self.locked() as records:
            records.add(key_of(user_id), transfer_id, amount_cents)

    @contextmanager
    def locked(self, *, prunes: bool = True) -> Iterator[DailyRecords]:
        """Hold the file, for all threads and processes, and give its content as it is now.

        What the block changed is written when it ends; after an error nothing is. The lock is
        not reentrant: call no method of a tracker inside the block. Unless `prunes`, days that
        are long past stay in it: by which clock they are past is not sure.

        Raises
        ------
        LimitsUnreadable
            The file cannot be understood. It is left as it is.
        FolderNotWritable
            The file or its lock could not be written.
        TurnLost
            The lock was taken away meanwhile: another program may have written. Nothing was.
        """
        zone = self._zone or get_settings().zone
        # A link is one file with what it leads to: so is its lock.
        try:
            with writing_in(self.path.parent):
                path = self.path.resolve() if self.path.is_symlink() else self.path
        except RuntimeError:
            raise LimitsUnreadable(self.path, "it is a link that leads to itself") from None
        lock = Path(f"{path}.lock")
        with holding(lock, patience=PATIENCE) as held:
            narrow(path)
            days = _read_days(self.path)
            records = DailyRecords(copy.deepcopy(days), self._now().astimezone(zone))
            yield records
            if records.days != days and not held.is_held:
                raise TurnLost(lock)
            if records.days != days:
                today = records.now.date()
                write_json(self.path, _recent(records.days, today) if prunes else records.days)


def key_of(user_id: int | str | None) -> str:
    """Return the key under which a user's entries stand in the file."""
    return GLOBAL_KEY if user_id is None else str(user_id)


def _moment(said: object) -> datetime | None:
    return parse_timestamp(said) if isinstance(said, str) else None


def _zone(name: object) -> tzinfo | None:
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def _is_same_day(one: datetime, other: datetime, zone: tzinfo) -> bool:
    try:
        return one.astimezone(zone).date() == other.astimezone(zone).date()
    except OverflowError:  # in the first or the last year that there is
        return False


def _require_cents(amount: object) -> None:
    if type(amount) is not int or not 0 <= amount <= MOST_CENTS:
        raise InvalidAmount(amount)


def _recent(days: Days, today: date) -> Days:
    """Drop what is long past, but for what is still open: that may be all that tells of it."""
    first = (today - timedelta(days=KEPT_DAYS)).isoformat()
    kept = {
        day: keys
        if day >= first
        else {key: [one for one in entries if _is_open(one)] for key, entries in keys.items()}
        for day, keys in days.items()
    }
    return {day: keys for day, keys in kept.items() if day >= first or any(keys.values())}


def _is_open(entry: Entry) -> bool:
    return entry.get("state") in ("reserved", "requested", "unknown")


def _read_days(path: Path) -> Days:
    try:
        content = read_json(path, remedy="")
    except FileNotFoundError:
        return {}
    except CorruptFile as error:
        raise LimitsUnreadable(path, error.reason) from error
    try:
        return _parse(content)
    except (TypeError, ValueError) as error:
        raise LimitsUnreadable(path, str(error)) from error


def _parse(content: object) -> Days:
    days = {
        date.fromisoformat(day).isoformat(): {
            key: [_entry(day, entry) for entry in _list(day, entries)]
            for key, entries in _keys(keys).items()
        }
        for day, keys in _dict("the file", content).items()
    }
    if len(days) < len(_dict("the file", content)):
        raise ValueError("a day stands twice")
    return days


def _keys(keys: object) -> dict[str, object]:
    # The older form has a day's entries in a flat list.
    return {GLOBAL_KEY: keys} if isinstance(keys, list) else _dict("a day", keys)


def _dict(what: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{what} is not an object")
    return value


def _list(day: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"entries of {day} are not a list")
    return value


def _entry(day: str, value: object) -> Entry:
    entry = _dict(f"an entry of {day}", value)
    amount = entry.get("amount_cents")
    if type(amount) is not int or amount < 0:
        raise ValueError(f"an entry of {day} has no amount in cents")
    for name in ("intent_id", "app_url", "organization_id"):
        if not isinstance(entry.get(name, ""), str):
            raise TypeError(f"an entry of {day} has no text as {name}")
    return entry
