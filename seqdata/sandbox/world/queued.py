"""Movements that are accepted first, and done some seconds later: what is short by then fails."""

from __future__ import annotations

from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import HOUR, SECOND
from seqdata.sandbox.world.movements import (
    Ending,
    Legs,
    Words,
    arrived,
    end_incoming,
    end_outgoing,
    end_pull,
    finish,
    pending,
)
from seqdata.sandbox.world.records import Holding, Outside, Transfer
from seqdata.sandbox.world.rulebook import direction

SHORT = "Insufficient funds"

Account = Holding | Outside


def available(account: Account) -> int | None:
    """How much can be taken from an account; None where nobody knows."""
    return account.balance if isinstance(account, Holding) else account.shown


def queue(
    book: Book,
    source: Account,
    destination: Account,
    cents: int,
    words: Words,
    seconds: int,
    ending: Ending | None = None,
) -> Transfer:
    """Accept a movement now; it is begun in some seconds, and ends as banks do, or as told."""
    transfer = book.open_transfer(
        source, destination, cents, direction(source, destination), words.activity_type,
        description=words.description, rule=words.rule, series=words.series,
    )  # fmt: skip
    transfer.is_compound = isinstance(source, Outside) and isinstance(destination, Outside)
    transfer.status, transfer.is_queued = "PROCESSING", True
    transfer.payment = None if transfer.is_compound else pending(book, book.now)
    begin = partial(_begin, book, transfer, source, destination, ending)
    book.show(transfer)
    if seconds:
        book.plan(book.now + seconds * SECOND, begin)
    else:
        begin()
    return transfer


def _begin(
    book: Book,
    transfer: Transfer,
    source: Account,
    destination: Account,
    ending: Ending | None,
) -> None:
    if book.is_held_back(transfer, partial(_begin, book, transfer, source, destination, ending)):
        return
    transfer.is_queued = False
    left = available(source)
    if ending is not None and transfer.direction == "INTERNAL":
        finish(book, transfer, ending)
    elif left is not None and left < transfer.cents:
        finish(book, transfer, Ending(book.now, "INCOMPLETE", SHORT))
    elif transfer.direction == "INTERNAL":
        finish(book, transfer, Ending(book.now))
        book.post(transfer, source, -transfer.cents)
        book.post(transfer, destination, transfer.cents)
        arrived(book, transfer)
    else:
        _send(book, transfer, source, destination, ending)


def _send(
    book: Book, transfer: Transfer, source: Account, destination: Account, ending: Ending | None
) -> None:
    """Hand a movement to the banks."""
    rng = book.payment_rng
    if transfer.is_compound:
        pull = banking.settles_inside(book.now, rng)
        push = banking.settles_inside(pull, rng)
        legs = Legs(pull, push)
        if ending is not None:
            at = max(ending.at, book.now)
            legs = Legs(book.now, at, reversal_at=at + HOUR, push_fails=True)
        transfer.pull = pending(book, legs.pull_at)
        book.set_status(transfer, "PENDING")
        book.plan(legs.pull_at, partial(end_pull, book, transfer, legs))
        return
    book.set_status(transfer, "PENDING")
    if isinstance(destination, Outside):
        settles = banking.settles_liability if destination.is_liability else banking.settles_outside
        ending = ending or Ending(settles(book.now, rng))
        book.post(transfer, source, -transfer.cents)
        book.plan(ending.at, partial(end_outgoing, book, transfer, ending))
    else:
        ending = ending or Ending(banking.settles_inside(book.now, rng))
        book.plan(ending.at, partial(end_incoming, book, transfer, ending))
    transfer.payment = pending(book, ending.at)
