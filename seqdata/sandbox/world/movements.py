"""How each kind of transfer moves money: the table of the service, as code.

Money leaves a pod when an outgoing transfer is created and comes back when it fails or is
cancelled; it reaches a pod when an incoming transfer completes; between pods it moves at
once. Outside accounts are credited at completion and debited when the pull completes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import day_of
from seqdata.sandbox.world.records import Party, Payment, RuleRun, Transfer


@dataclass(frozen=True, slots=True)
class Words:
    """What is said about a transfer besides its parties and amount."""

    activity_type: str
    description: str | None = None
    rule: RuleRun | None = None
    series: str = "plan"


@dataclass(frozen=True, slots=True)
class Ending:
    """How and when a pending transfer ends."""

    at: int
    status: str = "COMPLETE"
    reason: str | None = None


def _open(
    book: Book,
    source: Party | None,
    destination: Party | None,
    cents: int,
    direction: str,
    words: Words,
) -> Transfer:
    return book.open_transfer(
        source,
        destination,
        cents,
        direction,
        words.activity_type,
        description=words.description,
        rule=words.rule,
        series=words.series,
    )


def pending(book: Book, expected_at: int) -> Payment:
    """Make a leg that is under way."""
    return Payment("PENDING", book.now, None, day_of(expected_at))


def _close(book: Book, payment: Payment, status: str) -> None:
    payment.status = status
    payment.completed_at = book.now if status == "COMPLETE" else None


def finish(book: Book, transfer: Transfer, ending: Ending) -> None:
    """Let a transfer end, and the only leg of a simple one."""
    book.set_status(transfer, ending.status, ending.reason)
    if transfer.payment is not None:
        _close(book, transfer.payment, ending.status)


def inside(book: Book, source: Party, destination: Party, cents: int, words: Words) -> Transfer:
    """Move money between pods and ports, at once."""
    transfer = _open(book, source, destination, cents, "INTERNAL", words)
    transfer.payment = pending(book, book.now)
    finish(book, transfer, Ending(book.now))
    book.post(transfer, source, -cents)
    book.post(transfer, destination, cents)
    book.show(transfer)
    arrived(book, transfer)
    return transfer


def arrived(book: Book, transfer: Transfer) -> None:
    """Let happen what waits for money at its destination."""
    if book.watched and transfer.destination is not None:
        heed = book.watched.get(transfer.destination.id)
        if heed is not None:
            heed(transfer)


def refused(
    book: Book,
    source: Party,
    destination: Party,
    cents: int,
    direction: str,
    words: Words,
    reason: str,
    status: str = "FAILED",
) -> Transfer:
    """Record a transfer that failed the moment it was created: nothing moves."""
    transfer = _open(book, source, destination, cents, direction, words)
    transfer.payment = pending(book, book.now)
    finish(book, transfer, Ending(book.now, status, reason))
    book.show(transfer)
    return transfer


def outgoing(
    book: Book, source: Party, destination: Party, cents: int, words: Words, ending: Ending
) -> Transfer:
    """Send money out: it leaves now, and comes back if the ending is not a completion."""
    transfer = _open(book, source, destination, cents, "OUTGOING", words)
    transfer.payment = pending(book, ending.at)
    book.post(transfer, source, -cents)
    book.show(transfer)
    book.plan(ending.at, partial(end_outgoing, book, transfer, ending))
    return transfer


def end_outgoing(book: Book, transfer: Transfer, ending: Ending) -> None:
    """Credit what was sent, or give it back."""
    finish(book, transfer, ending)
    is_complete = ending.status == "COMPLETE"
    book.post(transfer, transfer.destination if is_complete else transfer.source, transfer.cents)


def incoming(
    book: Book,
    source: Party | None,
    destination: Party,
    cents: int,
    words: Words,
    ending: Ending,
    *,
    appears_at: int | None = None,
) -> Transfer:
    """Take money in: it arrives at completion.

    With `appears_at` the row is created now and seen later; that is never after its ending,
    so no balance moves by a row that cannot be seen.
    """
    transfer = _open(book, source, destination, cents, "INCOMING", words)
    transfer.payment = pending(book, ending.at)
    if appears_at is None:
        book.show(transfer)
    else:
        book.plan(min(appears_at, ending.at), partial(book.show, transfer))
    book.plan(ending.at, partial(end_incoming, book, transfer, ending))
    return transfer


def end_incoming(book: Book, transfer: Transfer, ending: Ending) -> None:
    """Credit what came in; nothing where it failed."""
    again = partial(end_incoming, book, transfer, ending)
    if book.is_held_back(transfer, again):
        return
    finish(book, transfer, ending)
    if ending.status == "COMPLETE":
        book.post(transfer, transfer.source, -transfer.cents)
        book.post(transfer, transfer.destination, transfer.cents)
        arrived(book, transfer)


@dataclass(frozen=True, slots=True)
class Legs:
    """When the legs of a compound transfer end."""

    pull_at: int
    push_at: int
    reversal_at: int | None = None
    #: A failed push fails the transfer; otherwise a reversal comes after COMPLETE.
    push_fails: bool = False


def compound(
    book: Book, source: Party, destination: Party, cents: int, words: Words, legs: Legs
) -> Transfer:
    """Move money between outside accounts: pulled from one, then pushed to the other."""
    transfer = _open(book, source, destination, cents, "OUTGOING", words)
    transfer.is_compound = True
    transfer.pull = pending(book, legs.pull_at)
    book.show(transfer)
    book.plan(legs.pull_at, partial(end_pull, book, transfer, legs))
    return transfer


def end_pull(book: Book, transfer: Transfer, legs: Legs) -> None:
    """Debit the source, and begin to push."""
    assert transfer.pull is not None
    if book.is_held_back(transfer, partial(end_pull, book, transfer, legs)):
        return
    _close(book, transfer.pull, "COMPLETE")
    book.post(transfer, transfer.source, -transfer.cents)
    transfer.push = pending(book, legs.push_at)
    book.set_status(transfer, "PROCESSING")
    book.plan(legs.push_at, partial(_end_push, book, transfer, legs))


def _end_push(book: Book, transfer: Transfer, legs: Legs) -> None:
    assert transfer.push is not None
    status = "FAILED" if legs.push_fails else "COMPLETE"
    _close(book, transfer.push, status)
    if legs.push_fails:
        book.set_status(transfer, status, "R03: No account or unable to locate account")
        _open_reversal(book, transfer, legs)
        return
    book.set_status(transfer, status)
    book.post(transfer, transfer.destination, transfer.cents)
    if legs.reversal_at is not None:
        opens_at = book.now + (legs.reversal_at - book.now) // 2
        opens_at -= opens_at % 1_000_000
        book.plan(opens_at, partial(_open_reversal, book, transfer, legs))


def _open_reversal(book: Book, transfer: Transfer, legs: Legs) -> None:
    """Begin to give the money back. A transfer that was COMPLETE stays so, untouched."""
    assert legs.reversal_at is not None
    transfer.reversal = pending(book, legs.reversal_at)
    book.plan(legs.reversal_at, partial(_end_reversal, book, transfer))


def _end_reversal(book: Book, transfer: Transfer) -> None:
    assert transfer.reversal is not None
    _close(book, transfer.reversal, "COMPLETE")
    if transfer.status == "COMPLETE":
        book.post(transfer, transfer.destination, -transfer.cents)
    book.post(transfer, transfer.source, transfer.cents)
