"""Money that comes in: paychecks, which rules then divide, refunds, cashback."""

from __future__ import annotations

from datetime import date
from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.cast import MERCHANTS, PORTS
from seqdata.sandbox.world.clock import HOUR, SECOND, day_of, midnight
from seqdata.sandbox.world.life import DAY, REFUND, Life
from seqdata.sandbox.world.movements import Ending, Words, incoming
from seqdata.sandbox.world.records import Holding, Party

_BIWEEKLY = date(2020, 1, 3)


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
        )

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
