"""What outside accounts report of themselves: about a day late, 90 days back, pending at first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from seqdata.sandbox.platform.objects import Writer, midnight_of
from seqdata.sandbox.world.book import make_id
from seqdata.sandbox.world.clock import HOUR
from seqdata.sandbox.world.records import Node, Outside, Transfer

DAY = 24 * HOUR
#: How late a row is seen, how long it is pending then, and how far rows reach back.
LATE, PENDING, REACH = DAY, DAY, 90 * DAY
#: No movement is posted so long after its creation that it is looked for longer than this.
_LONGEST = 60 * DAY


@dataclass(frozen=True, slots=True)
class _Row:
    """What happened in an account; money in is above zero."""

    id: str
    at: int
    cents: int
    description: str


def rows(writer: Writer, accounts: list[Outside]) -> list[Node]:
    """Give the rows of some accounts, the latest date first."""
    nodes = [_node(writer, account, row) for account in accounts for row in _rows(writer, account)]
    return sorted(nodes, key=lambda node: (node["_date"], node["id"]), reverse=True)


def _rows(writer: Writer, account: Outside) -> Iterator[_Row]:
    book = writer.book
    last, first = book.now - LATE, book.now - REACH
    begin = bisect_left(account.seen, first, key=lambda one: one.at)
    for number, seen in enumerate(account.seen[begin:], begin):
        if seen.at <= last:
            yield _Row(make_id(account.id, "seen", number), seen.at, seen.cents, seen.description)
    begin = bisect_left(account.plain_keys, (first - _LONGEST, ""))
    for _, own_id in account.plain_keys[begin:]:
        transfer = book.transfers[own_id]
        for number, (moved, at, cents) in enumerate(transfer.postings):
            if moved == account.id and first <= at <= last:
                said = _description(transfer, account)
                yield _Row(make_id(own_id, account.id, number), at, cents, said)


def _description(transfer: Transfer, account: Outside) -> str:
    other = transfer.source if transfer.destination is account else transfer.destination
    return f"SEQUENCE {other.name if other else ''}".strip()


def _node(writer: Writer, account: Outside, row: _Row) -> Node:
    switches = writer.switches
    is_pending = row.at > writer.book.now - LATE - PENDING
    date = midnight_of(row.at, switches.transaction_zone)
    is_payment = account.is_liability and row.cents > 0
    direction = "MONEY_IN" if row.cents > 0 else "MONEY_OUT"
    changes_id = is_pending and switches.pending_ids == "new"
    return {
        "_date": date,
        "id": make_id(row.id, "pending") if changes_id else row.id,
        "accountId": account.id,
        "amountInCents": abs(row.cents),
        "direction": switches.liability_payment if is_payment else direction,
        "status": "PENDING" if is_pending else "COMPLETE",
        "description": row.description,
        "transactionDate": writer.moment(date),
    }
