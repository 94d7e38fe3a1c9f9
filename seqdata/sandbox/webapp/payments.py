"""`createPayment`: what is refused, and what an accepted payment does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import HOUR, MINUTE, SECOND, utc_text
from seqdata.sandbox.world.movements import (
    Ending,
    Legs,
    Words,
    compound,
    incoming,
    inside,
    outgoing,
    refused,
)
from seqdata.sandbox.world.records import Holding, Outside, Transfer
from seqdata.sandbox.world.world import Organization, World

LEAST_CENTS = 100


class Refused(Exception):
    """The service says no, in its own words."""


@dataclass(frozen=True, slots=True)
class Fate:
    """How a payment that is accepted fails: at once, some seconds later, or paid back.

    Between pods and ports it is always at once. One that is paid back (`is_reversed`) stays
    COMPLETE and gains a reversal; only one between outside accounts can be.
    """

    status: str = "FAILED"
    seconds: int = 0
    reason: str = "R01: Insufficient funds"
    is_reversed: bool = False


def create_payment(
    world: World, organization: Organization, fields: Mapping[str, Any], fate: Fate | None = None
) -> Transfer:
    """Move money, or raise `Refused`. Either way the call is on record."""
    record = {
        "time": utc_text(world.now),
        "organization_id": organization.id,
        "variables": _plain(fields),
    }
    try:
        transfer = _accept(organization.book, fields, fate)
    except Refused as refusal:
        world.payments.append(record | {"result": str(refusal), "transfer_id": None})
        raise
    world.payments.append(record | {"result": "ok", "transfer_id": transfer.id})
    world.advance(1)
    return transfer


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in fields.items()
    }


def _accept(book: Book, fields: Mapping[str, Any], fate: Fate | None) -> Transfer:
    source = _account(book, fields["source"], "Source")
    destination = _account(book, fields["destination"], "Destination")
    cents: int = fields["amount"]
    if source is destination:
        raise Refused("Source and destination must be different")
    if cents < LEAST_CENTS:
        raise Refused("Amount must be at least $1.00")
    if isinstance(source, Outside) and not source.can_be_source:
        raise Refused("This account cannot be the source of a transfer")
    available = source.balance if isinstance(source, Holding) else source.shown
    if available is not None and available < cents:
        raise Refused("Insufficient funds")
    words = Words("ONE_TIME_TRANSFER", fields.get("achDescription"), series="payment")
    is_instant = bool(fields.get("isInstantTransfer"))
    if fate is not None:
        return _fail(book, source, destination, cents, words, fate)
    return _move(book, source, destination, cents, words, is_instant)


def _account(book: Book, given: Mapping[str, str], side: str) -> Holding | Outside:
    account: Holding | Outside | None = book.holdings.get(given["id"]) or book.outside.get(
        given["id"]
    )
    if account is None or (isinstance(account, Holding) and account.deleted_at is not None):
        raise Refused(f"{side} account not found")
    if account.kind.upper() != given["type"]:
        raise Refused(f"{side} account is not of type {given['type']}")
    return account


def _move(
    book: Book,
    source: Holding | Outside,
    destination: Holding | Outside,
    cents: int,
    words: Words,
    is_instant: bool,
) -> Transfer:
    if isinstance(source, Holding) and isinstance(destination, Holding):
        return inside(book, source, destination, cents, words)
    if isinstance(destination, Holding):
        return incoming(book, source, destination, cents, words, _arrival(book, is_instant))
    if isinstance(source, Holding):
        return outgoing(
            book, source, destination, cents, words, _sending(book, destination, is_instant)
        )
    pull = _arrival(book, is_instant).at
    push = pull + HOUR if is_instant else banking.settles_inside(pull, book.payment_rng)
    return compound(book, source, destination, cents, words, Legs(pull, push))


def _fail(
    book: Book,
    source: Holding | Outside,
    destination: Holding | Outside,
    cents: int,
    words: Words,
    fate: Fate,
) -> Transfer:
    """Accept a payment that is to fail."""
    at = book.now + fate.seconds * SECOND
    ending = Ending(at, fate.status, fate.reason)
    is_inside = isinstance(source, Holding) and isinstance(destination, Holding)
    if fate.is_reversed:
        legs = Legs(book.now + MINUTE, book.now + 2 * MINUTE, reversal_at=at)
        return compound(book, source, destination, cents, words, legs)
    if fate.seconds == 0 or is_inside:
        direction = (
            "INTERNAL" if is_inside
            else "INCOMING" if isinstance(destination, Holding)
            else "OUTGOING"
        )  # fmt: skip
        return refused(book, source, destination, cents, direction, words, fate.reason, fate.status)
    if isinstance(destination, Holding):
        return incoming(book, source, destination, cents, words, ending)
    if isinstance(source, Holding):
        return outgoing(book, source, destination, cents, words, ending)
    legs = Legs(book.now + MINUTE, at, reversal_at=at + HOUR, push_fails=True)
    return compound(book, source, destination, cents, words, legs)


def _instant(book: Book) -> Ending:
    return Ending(book.now - book.now % SECOND + MINUTE)


def _arrival(book: Book, is_instant: bool) -> Ending:
    if is_instant:
        return _instant(book)
    return Ending(banking.settles_inside(book.now, book.payment_rng))


def _sending(book: Book, destination: Outside, is_instant: bool) -> Ending:
    if is_instant:
        return _instant(book)
    settles = banking.settles_liability if destination.is_liability else banking.settles_outside
    return Ending(settles(book.now, book.payment_rng))
