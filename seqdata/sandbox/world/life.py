"""What every part of a household's life is made of: its people, its clock, moves by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.world import banking
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.cast import make_cast
from seqdata.sandbox.world.clock import HOUR, SECOND, midnight
from seqdata.sandbox.world.movements import (
    Ending,
    Legs,
    Words,
    compound,
    inside,
    outgoing,
)
from seqdata.sandbox.world.records import Holding
from seqdata.sandbox.world.rulebook import Rulebook
from seqdata.sandbox.world.rulecast import found_rules

DAY = timedelta(days=1)
#: The service documents no activity type for cards. These are the sandbox's.
CARD = "CARD_PURCHASE"
REFUND = "CARD_REFUND"


class Life:
    """The ground of a household: `Income`, `Spending`, `Routines` and `Oddities` stand on it."""

    def __init__(self, book: Book, start: date, scale: int, seed: int, readings: Readings) -> None:
        self.book = book
        self.start = start
        self.scale = scale
        self.cast = make_cast(book, scale)
        self.pods = self.cast.pods
        self.accounts = self.cast.accounts
        self.rulebook = Rulebook(book, readings)
        found_rules(self.rulebook, self.cast, scale, seed)

    def _at(self, day: date, hour: float, event: Callable[[], object]) -> None:
        """Plan an event near an hour of the day, half of the time with milliseconds."""
        rng = self.book.rng
        at = midnight(day) + int(hour * HOUR) + rng.randrange(0, 1800) * SECOND
        at -= at % SECOND
        if rng.random() < 0.5:
            at += rng.randrange(1, 1000) * 1000
        self._exactly(at, event)

    def _exactly(self, at: int, event: Callable[[], object]) -> None:
        def run() -> None:
            event()

        self.book.plan(at, run)

    def _dollars(self, low: float, high: float) -> int:
        return self.book.rng.randrange(int(low * 100), int(high * 100) + 1)

    def _cover(self, pod: Holding, cents: int) -> bool:
        """Fill a pod by hand from the buffer, else the savings, where a bill needs it."""
        lacking = max(cents - pod.balance, 100)
        for key in ("buffer", "emergency"):
            source = self.pods[key]
            if pod.balance < cents and source is not pod and source.balance >= lacking:
                inside(self.book, source, pod, lacking, Words("ONE_TIME_TRANSFER", "top-up"))
        return pod.balance >= cents

    def _send_out(
        self,
        pod_key: str,
        account: str,
        cents: int,
        activity_type: str,
        ending: Ending | None = None,
    ) -> None:
        pod = self.pods[pod_key]
        at = banking.settles_outside(self.book.now, self.book.rng)
        if self._cover(pod, cents):
            words = Words(activity_type, "To the outside")
            ending = ending or Ending(at)
            outgoing(self.book, pod, self.accounts[account], cents, words, ending)

    def _between_outside(
        self, cents: int, words: Words, *, push_fails: bool = False, is_reversed: bool = False
    ) -> None:
        rng = self.book.rng
        pull = banking.settles_inside(self.book.now, rng)
        push = banking.settles_inside(pull, rng)
        reversal = banking.settles_inside(push + 5 * 24 * HOUR, rng) if is_reversed else None
        if push_fails:
            reversal = banking.settles_inside(push, rng)
        legs = Legs(pull, push, reversal, push_fails)
        source, destination = self.accounts["checking"], self.accounts["savings"]
        compound(self.book, source, destination, cents, words, legs)
