"""Which transfer of the service an intent is: on evidence, or not at all. Pure functions.

A transfer is taken for an intent's only where nothing is missing: both parties and the cents,
made by hand, created by the service's clock after the intent was written and before its sending
can have ended, and of no other intent. What would fit if something the service does not say were
so, or was created a little before or later, is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from seqdata.safeguards.lives import OpenIntent
from seqdata.sources.base import Row
from seqdata.sources.vocabulary import OWN

#: How far the service's clocks may lie apart: what was created so little before an intent may
#: be its own.
MARGIN = timedelta(minutes=2)

#: How long a sending can take, where its end is not known: a turn, a connection, an answer.
SENDING = timedelta(minutes=5)

#: How long before its sending the service's time of an intent may have been read. What was created
#: later than that after the sending may be another one, made by hand.
LOOK = timedelta(seconds=10)

DAY = timedelta(days=1)


def earliest(intent: OpenIntent) -> datetime:
    """Return from when on a transfer may be the intent's, by the service's clock.

    Where this machine's clock was another one, either may be wrong; a sandbox's is its own.
    """
    return intent.sent_at - MARGIN - _apart(intent)


def last_possible(intent: OpenIntent) -> datetime:
    """Return until when a transfer may be the intent's: a service that queues it for a day."""
    return intent.sent_at + DAY + MARGIN + _apart(intent)


def _apart(intent: OpenIntent) -> timedelta:
    apart = abs(intent.sent_at - intent.written_at)
    return timedelta(0) if intent.is_sandbox else min(apart, DAY)


def latest(intent: OpenIntent) -> datetime:
    """Return until when a transfer is surely the intent's: as long as it was being sent."""
    took = SENDING if intent.sending is None else max(intent.sending, timedelta(0)) + LOOK
    return intent.sent_at + min(took, SENDING)


def matches(rows: Iterable[Row], intent: OpenIntent, claimed: Iterable[str]) -> list[Row]:
    """Return the transfers that are the intent's, as far as can be told, oldest first.

    The same parties and amount, by hand, created while the intent was being sent, and not
    claimed by another one.
    """
    taken = {*claimed, *intent.not_its_own}
    found = [row for row in rows if row["id"] not in taken and _fits(row, intent)]
    return sorted(found, key=lambda row: (row["created_at"], row["id"]))


def shown(rows: Iterable[Row], intent: OpenIntent, claimed: Iterable[str]) -> list[Row]:
    """Return the transfers of a payment's own answer that are the intent's.

    Such an answer does not say who made a transfer; all else has to fit as in :func:`matches`.
    """
    sure = ({**row, "by_hand": True} for row in rows if row["by_hand"] is not False)
    return matches(sure, intent, claimed)


def doubtful(rows: Iterable[Row], intent: OpenIntent, claimed: Iterable[str]) -> list[Row]:
    """Return the transfers that would match if what the service does not say were so."""
    taken = {*claimed, *intent.not_its_own}
    return [
        row
        for row in rows
        if row["id"] not in taken and not _fits(row, intent) and _can_fit(row, intent)
    ]


def _fits(row: Row, intent: OpenIntent) -> bool:
    created_at = row["created_at"]
    return (
        (row["source_id"], row["destination_id"], row["amount_cents"]) == intent.key
        and row["by_hand"] is True
        and created_at is not None
        and intent.sent_at <= created_at <= latest(intent)
    )


def _can_fit(row: Row, intent: OpenIntent) -> bool:
    created_at = row["created_at"]
    return (
        _can_be(row, "source", intent.source_id)
        and _can_be(row, "destination", intent.destination_id)
        and row["amount_cents"] in (None, intent.amount_cents)
        and row["by_hand"] is not False
        and (created_at is None or earliest(intent) <= created_at <= last_possible(intent))
    )


def _can_be(row: Row, end: str, account_id: str) -> bool:
    """Whether an end is an account of ours, or is not said to be another party."""
    told, party = row[f"{end}_id"], row[f"{end}_party"]
    return told == account_id or (told is None and party in (None, *OWN))


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


def is_sure(found: Mapping[str, Sequence[Row]], intent: OpenIntent, doubt: Iterable[Row]) -> bool:
    """Tell whether an intent has one candidate that no other intent could claim.

    What may be its own as well, created while it was being sent, leaves nothing sure.
    """
    own = found[intent.id]
    others = {row["id"] for key, rows in found.items() if key != intent.id for row in rows}
    rivals = [one for one in doubt if _is_meanwhile(one["created_at"], intent)]
    return len(own) == 1 and own[0]["id"] not in others and not rivals


def _is_meanwhile(created_at: datetime | None, intent: OpenIntent) -> bool:
    return created_at is None or intent.sent_at <= created_at <= latest(intent)


def listed(rows: Iterable[Row]) -> tuple[tuple[str, str], ...]:
    """Return the candidates as a person reads them: ids and when they were created."""
    return tuple((row["id"], str(row["created_at"])) for row in rows)
