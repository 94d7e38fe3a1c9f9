"""The whole world: one clock, one book for each organization, the user they belong to."""

from __future__ import annotations

import base64
import gc
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from seqdata.sandbox.rules.execution import Execution
from seqdata.sandbox.rules.model import RuleVersion
from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.world.book import Book, make_id
from seqdata.sandbox.world.clock import SECOND, day_of, midnight, months_before
from seqdata.sandbox.world.household import Household
from seqdata.sandbox.world.rulebook import NotTriggered, Rulebook


@dataclass(frozen=True, slots=True)
class User:
    """Who logs in."""

    id: str
    email: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    client_id: str


@dataclass(slots=True)
class Organization:
    """One organization of the user."""

    id: str
    name: str
    kyc_id: str
    book: Book
    household: Household

    @property
    def rulebook(self) -> Rulebook:
        """Its rules and their runs."""
        return self.household.rulebook


def _user(seed: int) -> User:
    digest = hashlib.sha256(f"seqdata/{seed}".encode()).digest()
    return User(
        id=make_id(seed, "user"),
        email="household@example.com",
        password=f"practice-{digest[:6].hex()}",
        totp_secret=base64.b32encode(digest[6:26]).decode(),
        client_id=f"sandbox{digest[:12].hex()}",
    )


@contextmanager
def _without_collections() -> Iterator[None]:
    """Make no collections: nothing of a world is garbage, and they walk it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class World:
    """A world from `months` before `now` on. Everything that touches it holds `lock`.

    The second organization is twice the size of the first, the third three times, and so on;
    the names in them are the same.

    The clock stands still but for `advance` and for one second after each accepted payment,
    so that no two payments are created at the same instant.
    """

    def __init__(
        self,
        seed: int,
        months: int,
        now: int,
        scale: int,
        organizations: int,
        readings: Readings | None = None,
    ) -> None:
        if months < 1 or scale < 1 or organizations < 1:
            raise ValueError("months, scale and organizations are whole numbers from 1 up")
        self.lock = threading.RLock()
        self.seed, self.months, self.scale = seed, months, scale
        self.readings = readings or Readings()
        self.user = _user(seed)
        self.payments: list[dict[str, Any]] = []
        start = months_before(day_of(now), months)
        #: Tells it from worlds of the same seed, whose organizations have the same ids.
        self.id = make_id(f"{seed}/{scale}", f"world since {start}")
        self.organizations = [self._found(n, midnight(start)) for n in range(organizations)]
        self.now = midnight(start)
        with _without_collections():
            self.run_until(now)

    def _found(self, number: int, start: int) -> Organization:
        name = f"{self.seed}/{number}"
        book = Book(name, start)
        own_id, kyc_id = make_id(name, "organization"), make_id(name, "kyc")
        household = Household(
            book, day_of(start), self.scale * (number + 1), self.seed, self.readings
        )
        title = "Example Household" if number == 0 else f"Example Household {number + 1}"
        return Organization(own_id, title, kyc_id, book, household)

    def organization(self, organization_id: str) -> Organization | None:
        """Give the organization of an id."""
        return next((one for one in self.organizations if one.id == organization_id), None)

    @property
    def rules(self) -> list[RuleVersion]:
        """All versions of all rules, by organization, each rule's oldest first."""
        return [one for each in self.organizations for one in each.rulebook.versions]

    @property
    def executions(self) -> list[Execution]:
        """All runs of rules, simulations too, by organization, the oldest first."""
        return [one for each in self.organizations for one in each.rulebook.executions.values()]

    def trigger(
        self, rule_id: str, execute_amount: int | None = None, simulation: bool = False
    ) -> Execution:
        """Run a rule as the REST API does, or say what it would move: `Rulebook.trigger`."""
        with self.lock:
            for one in self.organizations:
                if one.rulebook.version(rule_id) is not None:
                    return one.rulebook.trigger(rule_id, execute_amount, simulation)
        raise NotTriggered("RULE_NOT_FOUND", rule_id)

    def run_until(self, at: int) -> None:
        """Let time pass through an instant."""
        with self.lock:
            for organization in self.organizations:
                organization.book.run_until(at)
            self.now = at

    def advance(self, seconds: int) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.run_until(self.now + seconds * SECOND)
