"""The truth of a world as plain JSON values: what tests and users check their data against."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import day_ends, day_of, days_between, utc_text
from seqdata.sandbox.world.records import Holding, Key, Outside, Party, Payment, Transfer
from seqdata.sandbox.world.world import Organization, World


def transfers(
    world: World, organization_id: str | None = None, limit: int | None = None, offset: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the transfers the API would show now, newest first, from the `offset`-th on.

    Which ones they are is settled by the call; each is then as it is when its turn comes.
    """
    if offset < 0 or (limit is not None and limit < 0):
        raise ValueError("limit and offset are whole numbers from 0 up")
    chosen = [one for one in world.organizations if organization_id in (None, one.id)]
    newest = heapq.merge(*[_newest(one) for one in chosen], key=_key, reverse=True)
    wanted = islice(newest, offset, None if limit is None else offset + limit)
    return (transfer_row(owner, owner.book.transfers[own_id]) for (_, own_id), owner in wanted)


def _newest(organization: Organization) -> Iterator[tuple[Key, Organization]]:
    return ((key, organization) for key in reversed(organization.book.keys.copy()))


def _key(row: tuple[Key, Organization]) -> Key:
    return row[0]


def transfer_row(organization: Organization, transfer: Transfer) -> dict[str, Any]:
    """One transfer as it is now."""
    return {
        "id": transfer.id,
        "organization_id": organization.id,
        "type": transfer.type,
        "status": transfer.status,
        "error_reason": transfer.error_reason,
        "created_at": utc_text(transfer.created_at),
        "updated_at": utc_text(transfer.updated_at),
        "amount_cents": transfer.cents,
        "source": _party(transfer.source),
        "destination": _party(transfer.destination),
        "direction": transfer.direction,
        "activity_type": transfer.activity_type,
        "description": transfer.description,
        "details": _details(transfer),
        "rule": _rule(transfer),
        "postings": [
            {"account_id": account, "at": utc_text(at), "cents": cents}
            for account, at, cents in transfer.postings
        ],
    }


def _party(party: Party | None) -> dict[str, Any] | None:
    if party is None:
        return None
    return {"kind": party.kind, "id": party.id, "name": party.name}


def _rule(transfer: Transfer) -> dict[str, Any] | None:
    rule = transfer.rule
    if rule is None:
        return None
    return {"trigger_type": rule.trigger_type, "trigger_cron": rule.trigger_cron}


def _details(transfer: Transfer) -> dict[str, Any]:
    if not transfer.is_compound:
        return {"kind": "simple", "status": _payment(transfer.payment)}
    return {
        "kind": "compound",
        "pull": _payment(transfer.pull),
        "push": _payment(transfer.push),
        "reversal": _payment(transfer.reversal),
    }


def _payment(payment: Payment | None) -> dict[str, Any] | None:
    if payment is None:
        return None
    completed, expected = payment.completed_at, payment.expected_on
    return {
        "status": payment.status,
        "created_at": utc_text(payment.created_at),
        "completed_at": None if completed is None else utc_text(completed),
        "expected_on": None if expected is None else expected.isoformat(),
    }


def balances(world: World) -> dict[str, dict[str, int]]:
    """Each account's cents at the end of each day of New York, as the API showed them then.

    The first day is the one before the world began: its value is the opening balance. The
    last is today, as of now, or the day on which a pod was deleted. Accounts without a
    balance have no days.
    """
    ends: dict[str, dict[str, int]] = {}
    for organization in world.organizations:
        book = organization.book
        for own_id, account in (book.holdings | book.outside).items():
            days = days_between(day_of(book.start) - timedelta(days=1), _last_day(book, account))
            is_unknown = isinstance(account, Outside) and account.shown is None
            opening = account.opening
            ends[own_id] = {} if is_unknown else day_ends(account.steps, opening, days)
    return ends


def _last_day(book: Book, account: Holding | Outside) -> date:
    deleted_at = account.deleted_at if isinstance(account, Holding) else None
    return day_of(book.now if deleted_at is None else deleted_at)


def outside(world: World) -> list[dict[str, Any]]:
    """List what moved in outside accounts, oldest first; money in is above zero.

    That is what came from Sequence and went there, by the id of its transfer, and all else.
    """
    rows: list[tuple[int, str, int, str | None, str | None]] = []
    for book in (organization.book for organization in world.organizations):
        for own_id, account in book.outside.items():
            rows += [(one.at, own_id, one.cents, one.description, None) for one in account.seen]
            rows += [
                (at, own_id, cents, None, transfer.id)
                for transfer in (book.transfers[key[1]] for key in account.plain_keys)
                for moved, at, cents in transfer.postings
                if moved == own_id
            ]
    return [
        {"account_id": own_id, "at": utc_text(at), "cents": cents,
         "description": description, "transfer_id": transfer_id}
        for at, own_id, cents, description, transfer_id in sorted(rows, key=lambda row: row[:3])
    ]  # fmt: skip
