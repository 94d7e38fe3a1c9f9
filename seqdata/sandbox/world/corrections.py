"""What a service does to its own records afterwards: rows removed, moved, corrected, renamed.

None of it moves money. A row that is removed is gone from the API and from the truth, and its
postings with it, while every balance stays what it is:

- A row that has moved nothing (a PENDING deposit, a failed one) leaves books that balance. It
  is frozen: a PENDING one does not complete before it is restored, and then does at once.
- A row that was sent and came back (CANCELLED, a returned push) sums to nothing. Today's books
  balance without it; those of the days in between lack what was out.
- Of any other row the money stays moved, what is still due goes on to happen, and the visible
  rows no longer explain the balances.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import micros
from seqdata.sandbox.world.records import Transfer
from seqdata.sandbox.world.world import World

#: What can be corrected.
FIELDS = ("description", "error_reason", "activity_type")


def _find(world: World, ids: Iterable[str], *, removed: bool) -> list[tuple[Book, Transfer]]:
    """Find transfers that are visible, or that were removed; none is left out."""
    found, unknown = [], []
    for own_id in dict.fromkeys(ids):
        books = [one.book for one in world.organizations if own_id in one.book.transfers]
        transfer = books[0].transfers[own_id] if books else None
        is_there = transfer is not None and (
            own_id in books[0].removed if removed else books[0].is_shown(transfer)
        )
        if transfer is not None and is_there:
            found.append((books[0], transfer))
        else:
            unknown.append(own_id)
    if unknown:
        kind = "removed" if removed else "visible"
        raise ValueError(f"no {kind} transfer has the id {', '.join(unknown)}")
    return found


def remove(world: World, ids: Iterable[str]) -> None:
    """Let visible transfers vanish from the API and the truth: all of them, or none."""
    for book, transfer in _find(world, ids, removed=False):
        book.hide(transfer)
        book.removed[transfer.id] = []


def restore(world: World, ids: Iterable[str]) -> None:
    """Let removed transfers come back, as they would be now: all of them, or none."""
    for book, transfer in _find(world, ids, removed=True):
        events = book.removed.pop(transfer.id)
        book.show(transfer)
        for event in events:
            book.plan(book.now, event)
        book.run_until(book.now)


def move_created_at(world: World, own_id: str, to: datetime | str, *, silently: bool) -> None:
    """Give a transfer another createdAt, in whole milliseconds and not in the future."""
    at = _instant(to)
    if at > world.now:
        raise ValueError(f"createdAt cannot lie in the future: {to}")
    ((book, transfer),) = _find(world, [own_id], removed=False)
    book.hide(transfer)
    transfer.created_at = at
    book.show(transfer)
    _touch(book, transfer, silently=silently)


def edit(world: World, own_id: str, fields: dict[str, Any], *, silently: bool) -> None:
    """Correct the words of a transfer."""
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ValueError(f"{', '.join(FIELDS)} can be corrected, not {', '.join(unknown)}")
    ((book, transfer),) = _find(world, [own_id], removed=False)
    for name, value in fields.items():
        setattr(transfer, name, value)
    _touch(book, transfer, silently=silently)


def rename(world: World, own_id: str, name: str) -> None:
    """Give a pod, a port or an outside account another name; old transfers show it too."""
    for book in (one.book for one in world.organizations):
        account = book.holdings.get(own_id) or book.outside.get(own_id)
        if account is not None:
            account.name = account.node["name"] = name
            book.version += 1
            return
    raise ValueError(f"no account has the id {own_id}")


def rename_payee(world: World, name: str, to: str) -> None:
    """Give a merchant or another counterparty another name, in every organization."""
    parties = [
        party
        for one in world.organizations
        for known in (one.household.cast.merchants, one.household.cast.payers)
        for party in known.values()
        if party.name == name
    ]
    if not parties:
        raise ValueError(f"nobody is called {name}")
    for party in parties:
        party.name = party.node["name"] = to
    for one in world.organizations:
        one.book.version += 1


def _touch(book: Book, transfer: Transfer, *, silently: bool) -> None:
    if not silently:
        transfer.updated_at = book.now
    book.version += 1


def _instant(moment: datetime | str) -> int:
    given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    if given.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: add one, such as Z")
    at = micros(given)
    if at < 0:
        raise ValueError(f"{moment} lies before 1970")
    return at - at % 1000
