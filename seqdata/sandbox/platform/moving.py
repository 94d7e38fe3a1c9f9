"""Moving money: what a POST of a transfer does, really or in a simulation."""

from __future__ import annotations

from bisect import insort
from typing import Any

from seqdata.sandbox.platform.switches import Switches
from seqdata.sandbox.webapp.payments import Fate
from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.clock import SECOND, utc_text
from seqdata.sandbox.world.movements import Ending, Words
from seqdata.sandbox.world.queued import SHORT, Account, available, queue
from seqdata.sandbox.world.records import Key, Payment, Transfer
from seqdata.sandbox.world.rulebook import direction
from seqdata.sandbox.world.world import Organization, World


class Made:
    """What was made by the API: which transfers are new, and which are simulated."""

    def __init__(self) -> None:
        self.simulated: dict[str, Transfer] = {}
        self._keys: dict[int, list[Key]] = {}
        self._posted: dict[str, int] = {}
        #: Rises with each simulated transfer.
        self.version = 0

    def post(self, transfer: Transfer) -> None:
        """Remember that a transfer was made by a call."""
        self._posted[transfer.id] = transfer.created_at

    def simulate(self, book: Book, transfer: Transfer) -> None:
        """Keep a transfer that moves nothing."""
        self.simulated[transfer.id] = transfer
        insort(self._keys.setdefault(id(book), []), transfer.key)
        self.version += 1

    def keys_of(self, book: Book, accounts: list[Account]) -> list[Key]:
        """Give the simulated transfers of some accounts, oldest first."""
        known = self._keys.get(id(book), [])
        rows = ((key, self.simulated[key[1]]) for key in known)
        return [key for key, one in rows if one.source in accounts or one.destination in accounts]

    def is_too_early(self, transfer: Transfer, now: int, switches: Switches) -> bool:
        """Whether a transfer was made a moment ago, and is not found yet."""
        at = self._posted.get(transfer.id)
        return at is not None and now - at < switches.early_404_seconds * SECOND


def create_transfer(
    world: World,
    organization: Organization,
    source: Account,
    destination: Account,
    body: dict[str, Any],
    switches: Switches,
    made: Made,
    fate: Fate | None,
) -> Transfer:
    """Accept a transfer, which is begun in some seconds. The call is on record if it is real."""
    book, cents = organization.book, int(body["amountInCents"])
    words = Words("ONE_TIME_TRANSFER", body.get("description") or None, series="payment")
    if body.get("simulation"):
        transfer = _simulated(book, source, destination, cents, made.version)
        made.simulate(book, transfer)
    else:
        at = book.now + (switches.processing_seconds + fate.seconds if fate else 0) * SECOND
        ending = Ending(at, fate.status, fate.reason) if fate else None
        transfer = queue(
            book, source, destination, cents, words, switches.processing_seconds, ending
        )
        record: dict[str, Any] = {"time": utc_text(world.now), "organization_id": organization.id}
        record |= {"variables": dict(body), "result": "ok", "transfer_id": transfer.id}
        world.payments.append(record)
    made.post(transfer)
    world.advance(1)
    return transfer


def _simulated(
    book: Book, source: Account, destination: Account, cents: int, number: int
) -> Transfer:
    """Say what a transfer would come to: complete, or short of money."""
    own_id = make_id(book.name, "simulated", number)
    left = available(source)
    is_short = left is not None and left < cents
    return Transfer(
        own_id, book.now, book.now, cents, source, destination, direction(source, destination),
        "ONE_TIME_TRANSFER", mode="SIMULATION", status="INCOMPLETE" if is_short else "COMPLETE",
        error_reason=SHORT if is_short else None,
        payment=Payment("COMPLETE", book.now, None if is_short else book.now, None),
    )  # fmt: skip
