"""Finding out what became of a transfer whose answer was lost: reading the activity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from seqdata.exceptions import PageSizeRefused, PagingError
from seqdata.safeguards.journal import OpenIntent
from seqdata.safeguards.outcomes import Outcome
from seqdata.source import Page, Source, Window
from seqdata.types import ActivityType

Row = dict[str, Any]

#: How much earlier than the intent a match may have been created: clocks differ.
MARGIN = timedelta(minutes=2)

#: How old an intent is, and how many complete readings missed it, before it may be given up.
PATIENCE, READINGS = timedelta(hours=24), 2

_SIZES = (100, 50, 25, 10)
_BY_HAND = "ONE_TIME_TRANSFER"


@dataclass(frozen=True)
class Settlement:
    """What settling found out about an open transfer.

    `candidates` are the transfers that it can be, where a person has to choose: ids and when
    they were created. `may_be_assumed_failed`: it was not found for so long that a person may
    give it up.
    """

    intent: OpenIntent
    outcome: Outcome
    candidates: tuple[tuple[str, str], ...] = ()
    may_be_assumed_failed: bool = False

    def __str__(self) -> str:
        return f"{self.intent}\n  {self.outcome}"


@dataclass(frozen=True)
class Reading:
    """All transfers that the service shows since a moment, and when it showed them."""

    rows: tuple[Row, ...]
    served_at: datetime


def read_activity(source: Source, since: datetime) -> Reading:
    """Read the activity from now back to a moment, completely.

    Raises
    ------
    PagingError
        The pages do not follow each other, so the reading is not complete.
    ServiceError, UnexpectedAnswer
        The service could not be asked, or was not understood.
    """
    rows: list[Row] = []
    cursor, seen = "", {""}
    while True:
        page = _fetch(source, since, cursor)
        found: list[Row] = page.rows.to_pylist()
        rows += found
        if not page.has_next_page or _is_past(found, since):
            return Reading(tuple(rows), page.served_at)
        if page.cursor in seen:
            raise PagingError("the activity", "a new cursor", "one that was read before", len(seen))
        cursor = page.cursor
        seen.add(cursor)


def _fetch(source: Source, since: datetime, cursor: str) -> Page:
    for size in _SIZES[:-1]:
        try:
            return source.fetch_page(Window(since=since), cursor, size, with_count=False)
        except PageSizeRefused:
            continue
    return source.fetch_page(Window(since=since), cursor, _SIZES[-1], with_count=False)


def _is_past(rows: Sequence[Row], since: datetime) -> bool:
    """Whether the last row was created before `since`: newest come first."""
    last = rows[-1]["created_at"] if rows else None
    return last is not None and last < since


# -- matching ---------------------------------------------------------------------------------


def matches(rows: Iterable[Row], intent: OpenIntent, claimed: Iterable[str]) -> list[Row]:
    """Return the transfers that are the intent's, as far as can be told, oldest first.

    The same parties and amount, by hand, created no earlier than two minutes before the
    intent, and not claimed by another one.
    """
    taken = set(claimed)
    found = [row for row in rows if row["id"] not in taken and _fits(row, intent)]
    return sorted(found, key=lambda row: (row["created_at"], row["id"]))


def narrowed(rows: list[Row], intent: OpenIntent) -> list[Row]:
    """Return the only one that was created after the intent, where there is just one; else all.

    For a transfer that is known to be there: an earlier one, whose answer was lost, is not it.
    """
    later = [row for row in rows if row["created_at"] and row["created_at"] >= intent.sent_at]
    return later if len(later) == 1 else rows


def doubtful(rows: Iterable[Row], intent: OpenIntent, claimed: Iterable[str]) -> list[Row]:
    """Return the transfers that would match if what the service does not say were so."""
    taken = set(claimed)
    return [
        row
        for row in rows
        if row["id"] not in taken and not _fits(row, intent) and _can_fit(row, intent)
    ]


def _fits(row: Row, intent: OpenIntent) -> bool:
    is_by_hand = _BY_HAND in (row["activity_type"], row["type"])
    created_at = row["created_at"]
    return (
        (row["source_id"], row["destination_id"], row["amount_cents"]) == intent.key
        and is_by_hand
        and created_at is not None
        and created_at >= intent.sent_at - MARGIN
    )


def _can_fit(row: Row, intent: OpenIntent) -> bool:
    kind, created_at = row["activity_type"], row["created_at"]
    is_other_kind = kind in set(ActivityType) - {_BY_HAND, ActivityType.ACH}
    return (
        _can_be(row, "source", intent.source_id)
        and _can_be(row, "destination", intent.destination_id)
        and row["amount_cents"] in (None, intent.amount_cents)
        and not is_other_kind
        and (created_at is None or created_at >= intent.sent_at - MARGIN)
    )


def _can_be(row: Row, end: str, account_id: str) -> bool:
    """Whether an end is an account of ours, or is not said to be another party."""
    told, kind = row[f"{end}_id"], row[f"{end}_kind"]
    return told == account_id or (told is None and kind in (None, "Pod", "Port", "Account"))


def assign(
    rows: Iterable[Row], members: Sequence[OpenIntent], claimed: Iterable[str]
) -> dict[str, list[Row]]:
    """Give each of the intents with the same parties and amount its candidates.

    One candidate is the answer; several are for a person. As many transfers as intents, in an
    order that fits, are theirs one by one: they differ in nothing but their time.
    """
    listed, taken = list(rows), list(claimed)
    eligible = {one.id: matches(listed, one, taken) for one in members}
    union = {row["id"]: row for found in eligible.values() for row in found}
    in_order = sorted(union.values(), key=lambda row: (row["created_at"], row["id"]))
    by_time = sorted(members, key=lambda one: (one.sent_at, one.id))
    if len(in_order) == len(by_time) and all(
        row in eligible[one.id] for row, one in zip(in_order, by_time, strict=True)
    ):
        return {one.id: [row] for row, one in zip(in_order, by_time, strict=True)}
    return eligible


def is_sure(found: Mapping[str, Sequence[Row]], intent_id: str) -> bool:
    """Tell whether an intent has one candidate that no other intent could claim."""
    own = found[intent_id]
    others = {row["id"] for key, rows in found.items() if key != intent_id for row in rows}
    return len(own) == 1 and own[0]["id"] not in others


def listed(rows: Iterable[Row]) -> tuple[tuple[str, str], ...]:
    """Return the candidates as a person reads them: ids and when they were created."""
    return tuple((row["id"], str(row["created_at"])) for row in rows)
