"""Money that comes in: paychecks and the rules that divide them, refunds, cashback."""

from __future__ import annotations

from datetime import date
from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.cast import MERCHANTS, PORTS
from seqdata.sandbox.world.clock import HOUR, SECOND, day_of, midnight
from seqdata.sandbox.world.life import DAY, REFUND, Life
from seqdata.sandbox.world.movements import Ending, Words, incoming, inside, outgoing, refused
from seqdata.sandbox.world.records import Holding, Outside, Party, Rule, Transfer

_BIWEEKLY = date(2020, 1, 3)
_ON_MONEY_IN = Rule("ON_MONEY_IN")

#: Share of a paycheck in thousandths, by pod; the buffer takes the rest.
_SPLITS = [
    ("bills", 312),
    ("groceries", 95),
    ("dining", 70),
    ("kids", 30),
    ("subscriptions", 15),
    ("card", 105),
    ("emergency", 80),
    ("vacation", 35),
    ("kids_upper", 25),
]


class Income(Life):
    """What a household is paid."""

    def _plan_income(self, day: date) -> None:
        weeks, weekday = divmod((day + 2 * DAY - _BIWEEKLY).days, 7)
        if weekday == 0:
            port, dollars = ("paycheck", 2450) if weeks % 2 == 0 else ("partner", 1980)
            cents = dollars * 100 + self._dollars(0, 35)
            kind = "DIRECT_DEPOSIT" if port == "partner" else "MONEY_IN"
            self._at(day, 16, partial(self._paycheck, port, cents * self.scale, kind))
        if self.book.rng.random() < 0.05:
            cents = self._dollars(280, 1100) * self.scale
            self._at(day, 11, partial(self._paycheck, "freelance", cents, "MONEY_IN"))
        if day.toordinal() % 2 == 0:
            is_cashback = day.toordinal() % 4 == 0
            self._at(day, 12, self._cashback if is_cashback else self._refund)

    def _paycheck(self, port: str, cents: int, activity_type: str) -> None:
        """Announce a paycheck two days ahead; it arrives on a banking morning."""
        day = banking.add_banking_days(day_of(self.book.now) + DAY, 1)
        at = midnight(day) + 6 * HOUR + self.book.rng.randrange(3 * 3600) * SECOND
        payer = next(payer for key, _, payer in PORTS if key == port)
        words = Words(activity_type, f"{payer} PAYROLL")
        incoming(
            self.book,
            self.cast.payer(payer),
            self.cast.ports[port],
            cents,
            words,
            Ending(at),
            then=self._split,
        )

    def _split(self, deposit: Transfer) -> None:
        """Let the rules on money in divide a deposit within minutes."""
        port = deposit.destination
        assert isinstance(port, Holding)
        shares = [("taxes", 220)] if port is self.cast.ports["freelance"] else _SPLITS
        at = self.book.now
        left = deposit.cents
        for key, share in shares:
            cents = deposit.cents * share // 1000
            left -= cents
            at += self.book.rng.randrange(300, 20_000) * 1000
            self._exactly(at, partial(self._ruled, port, self.pods[key], cents))
        at += 15 * SECOND
        if port is not self.cast.ports["freelance"]:
            cents = deposit.cents * 30 // 1000
            left -= cents
            self._exactly(at, partial(self._ruled_out, port, self.accounts["savings"], cents))
        self._exactly(at, partial(self._ruled, port, self.pods["buffer"], left))

    def _ruled(self, source: Holding, destination: Holding, cents: int) -> None:
        words = Words("RULE", rule=_ON_MONEY_IN)
        if source.balance >= cents:
            inside(self.book, source, destination, cents, words)
        else:
            reason = "Insufficient funds"
            refused(self.book, source, destination, cents, "INTERNAL", words, reason)

    def _ruled_out(self, source: Holding, destination: Outside, cents: int) -> None:
        if source.balance >= cents:
            ending = Ending(banking.settles_outside(self.book.now, self.book.rng))
            words = Words("RULE", rule=_ON_MONEY_IN)
            outgoing(self.book, source, destination, cents, words, ending)

    def _cashback(self) -> None:
        cents = self._dollars(2, 9)
        self._late(self.cast.payer("Sequence Cashback"), self.pods["buffer"], cents, "CASHBACK")

    def _refund(self) -> None:
        name, pod, low, high, _ = self.book.rng.choice(MERCHANTS)
        cents = self._dollars(low, high)
        self._late(self.cast.merchant(name), self.pods[pod], cents, REFUND)

    def _late(self, source: Party, pod: Holding, cents: int, activity_type: str) -> None:
        """Take money in by a row that is seen two to three days after its createdAt.

        It is seen pending, or already complete. One comes every second day and stays unseen
        for longer than that, so that at any moment at least one is on its way.
        """
        rng = self.book.rng
        appears = self.book.now + rng.randrange(51, 72) * HOUR
        settles = appears + rng.choice([0, 9, 26]) * HOUR
        words = Words(activity_type)
        incoming(self.book, source, pod, cents, words, Ending(settles), appears_at=appears)
