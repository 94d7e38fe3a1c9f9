"""The book of one organization: its accounts, its transfers, and the events to come."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from seqdata.sandbox.world.records import Holding, Key, Outside, Party, RuleRun, Transfer

if TYPE_CHECKING:
    from seqdata.sandbox.world.rulebook import Rulebook

Event = Callable[[], None]


def make_id(*parts: object) -> str:
    """Give a UUID-shaped id that depends on nothing but its parts."""
    text = hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


class Book:
    """Accounts, transfers in order, and a queue of timed events.

    Events run strictly by (instant, order of planning), so that time passed in steps and
    time passed at once leave the same book behind.
    """

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start
        self.now = start
        #: Sown anew for each day by the household's plan.
        self.rng = Random(name)
        self.payment_rng = Random(f"{name}/payments")
        self.holdings: dict[str, Holding] = {}
        self.outside: dict[str, Outside] = {}
        self.transfers: dict[str, Transfer] = {}
        #: The visible transfers, oldest first.
        self.keys: list[Key] = []
        #: Those of them that are not by card.
        self.plain_keys: list[Key] = []
        #: Transfers that were removed, with what was to happen to them since.
        self.removed: dict[str, list[Event]] = {}
        #: Transfers that were asked for, not planned, and those that rules made of them.
        self.asked: set[str] = set()
        #: The rules that run on it, once there are any.
        self.rulebook: Rulebook | None = None
        #: What happens when money has come to an account, by its id.
        self.watched: dict[str | None, Callable[[Transfer], None]] = {}
        #: Rises whenever a visible transfer appears or changes.
        self.version = 0
        self._events: list[tuple[int, int, Event]] = []
        self._planned = count()
        self._numbers = {"plan": count(1), "payment": count(1)}

    def plan(self, at: int, event: Event) -> None:
        """Let something happen at an instant that is not past."""
        heapq.heappush(self._events, (max(at, self.now), next(self._planned), event))

    def run_until(self, at: int) -> None:
        """Let everything happen that is due through `at`."""
        while self._events and self._events[0][0] <= at:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = at

    def open_transfer(
        self,
        source: Party | None,
        destination: Party | None,
        cents: int,
        direction: str,
        activity_type: str,
        *,
        description: str | None = None,
        rule: RuleRun | None = None,
        series: str = "plan",
    ) -> Transfer:
        """Make a pending transfer created now. It is not in the activity before `show`."""
        number = next(self._numbers[series])
        transfer = Transfer(
            make_id(self.name, series, number),
            self.now,
            self.now,
            cents,
            source,
            destination,
            direction,
            activity_type,
            description=description,
            rule=rule,
        )
        self.transfers[transfer.id] = transfer
        if series != "plan":
            self.asked.add(transfer.id)
        return transfer

    def show(self, transfer: Transfer) -> None:
        """Put a transfer into the activity."""
        key = transfer.key
        for keys in self._listed_in(transfer):
            insort(keys, key)
        self.version += 1

    def hide(self, transfer: Transfer) -> None:
        """Take a visible transfer out of the activity."""
        key = transfer.key
        for keys in self._listed_in(transfer):
            del keys[bisect_left(keys, key)]
        self.version += 1

    def _listed_in(self, transfer: Transfer) -> Iterator[list[Key]]:
        """Yield the lists that a visible transfer stands in."""
        by_card = transfer.is_by_card
        yield self.keys
        if not by_card:
            yield self.plain_keys
        for party in (transfer.source, transfer.destination):
            if isinstance(party, Holding):
                yield party.keys
                if not by_card:
                    yield party.plain_keys
                elif transfer.status == "COMPLETE":
                    yield party.card_keys
            elif isinstance(party, Outside):
                yield party.plain_keys

    def is_held_back(self, transfer: Transfer, event: Event) -> bool:
        """Keep an event for later whose transfer was removed before it moved any money."""
        waiting = self.removed.get(transfer.id)
        if waiting is None or transfer.postings:
            return False
        waiting.append(event)
        return True

    def is_shown(self, transfer: Transfer) -> bool:
        """Whether a transfer is in the activity already."""
        index = bisect_left(self.keys, transfer.key)
        return index < len(self.keys) and self.keys[index] == transfer.key

    def set_status(self, transfer: Transfer, status: str, reason: str | None = None) -> None:
        """Give a transfer another status now."""
        transfer.status = status
        transfer.error_reason = reason
        transfer.updated_at = self.now
        self.version += 1
        if status == "COMPLETE" and transfer.is_by_card and self.is_shown(transfer):
            for party in (transfer.source, transfer.destination):
                if isinstance(party, Holding):
                    insort(party.card_keys, transfer.key)

    def post(self, transfer: Transfer, account: Party | None, cents: int) -> None:
        """Move an account's balance now. Parties that are no accounts hold no balance."""
        if isinstance(account, Holding):
            account.balance += cents
            if account.balance < 0:
                raise AssertionError(f"{account.name!r} would be overdrawn by {transfer.id}")
            account.steps.append((self.now, account.balance))
        elif isinstance(account, Outside):
            account.balance += -cents if account.is_liability else cents
        else:
            return
        transfer.postings.append((account.id or "", self.now, cents))
