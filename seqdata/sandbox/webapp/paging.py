"""Pages of activity: filters, cursors, counts."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import parse_bound
from seqdata.sandbox.world.records import Key, Transfer

#: Sorts after every id.
_LAST = "\uffff"


class BadInput(Exception):
    """What was asked for cannot be answered as asked."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which transfers are wanted. None: the filter is off. Both bounds are inclusive."""

    start: int | None = None
    end: int | None = None
    statuses: frozenset[str] | None = None
    directions: frozenset[str] | None = None
    activity_types: frozenset[str] | None = None
    hide_internal: bool = False
    name: str = ""

    def matches(self, transfer: Transfer) -> bool:
        """Whether a transfer is wanted, the date of its creation aside."""
        return (
            (self.statuses is None or transfer.status in self.statuses)
            and (self.directions is None or transfer.direction in self.directions)
            and (self.activity_types is None or transfer.activity_type in self.activity_types)
            and not (self.hide_internal and transfer.direction == "INTERNAL")
            and (not self.name or self._names(transfer))
        )

    def _names(self, transfer: Transfer) -> bool:
        parties = (transfer.source, transfer.destination)
        return any(party is not None and self.name in party.name.casefold() for party in parties)

    @property
    def is_by_date_alone(self) -> bool:
        """Whether a range of dates is all there is."""
        chosen = (self.statuses, self.directions, self.activity_types)
        return all(one is None for one in chosen) and not (self.hide_internal or self.name)


def read_filter(given: Mapping[str, Any] | None) -> Filter:
    """Read the filter of a query. Null and an empty list switch a filter off."""
    given = given or {}
    created = given.get("createdAt") or {}
    return Filter(
        start=_bound(created.get("start"), is_end=False),
        end=_bound(created.get("end"), is_end=True),
        statuses=_values(given.get("statuses")),
        directions=_values(given.get("directions")),
        activity_types=_values(given.get("activityTypes")),
        hide_internal=bool(given.get("hideInternalTransfers")),
        name=(given.get("name") or "").casefold(),
    )


def _values(given: list[str] | None) -> frozenset[str] | None:
    return frozenset(given) if given else None


def _bound(text: str | None, *, is_end: bool) -> int | None:
    try:
        return parse_bound(text, is_end=is_end) if text else None
    except ValueError as error:
        raise BadInput(str(error)) from None


class Cursors:
    """Writes and reads cursors. One stays right while rows are added above it."""

    def __init__(self) -> None:
        self._generation = 0

    def expire(self) -> None:
        """Let no cursor written so far be valid any more."""
        self._generation += 1

    def write(self, key: Key) -> str:
        """Write the cursor of a transfer."""
        text = f"t{self._generation}:{key[0]}:{key[1]}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> Key:
        """Read the key a cursor stands for, or raise `BadInput`."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
            generation, created_at, own_id = text.split(":")
            is_expired = int(generation.removeprefix("t")) < self._generation
            key = int(created_at), own_id
        except (binascii.Error, ValueError):
            raise BadInput("Invalid cursor.") from None
        if is_expired:
            raise BadInput("Cursor has expired.")
        return key


@dataclass(frozen=True, slots=True)
class Page:
    """Some transfers, newest first, and whether there are older ones."""

    transfers: list[Transfer]
    has_next: bool
    has_previous: bool


def key_range(keys: list[Key], wanted: Filter) -> tuple[int, int]:
    """Find the slice of the keys a filter's dates leave."""
    low = 0 if wanted.start is None else bisect_left(keys, (wanted.start, ""))
    high = len(keys) if wanted.end is None else bisect_right(keys, (wanted.end, _LAST))
    return low, high


def _walk(book: Book, keys: list[Key], low: int, high: int, wanted: Filter) -> Iterator[Transfer]:
    for index in range(high - 1, low - 1, -1):
        transfer = book.transfers[keys[index][1]]
        if wanted.matches(transfer):
            yield transfer


def read_page(book: Book, keys: list[Key], wanted: Filter, below: Key | None, first: int) -> Page:
    """Find the `first` newest wanted transfers below a key."""
    low, high = key_range(keys, wanted)
    if below is not None:
        high = min(high, bisect_left(keys, below))
    found: list[Transfer] = []
    for transfer in _walk(book, keys, low, high, wanted):
        if len(found) == first:
            return Page(found, True, below is not None)
        found.append(transfer)
    return Page(found, False, below is not None)


def count(book: Book, wanted: Filter) -> int:
    """How many visible transfers are wanted."""
    low, high = key_range(book.keys, wanted)
    if wanted.is_by_date_alone:
        return max(0, high - low)
    return sum(1 for _ in _walk(book, book.keys, low, high, wanted))
