"""Money that is spent: bills, subscriptions, taxes, shopping."""

from __future__ import annotations

from datetime import date
from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.cast import (
    AIRLINE,
    BIG_GROCER,
    BILLS,
    ELECTRICITY,
    HEATING,
    MERCHANTS,
    SUBSCRIPTIONS,
)
from seqdata.sandbox.world.life import CARD, Life
from seqdata.sandbox.world.movements import Ending, Words, outgoing, refused

#: Transfers a day at scale 1, of which the fixed routines make `_FIXED`.
_PER_DAY, _FIXED = 5.45, 4.55
_WEIGHTS = [row[4] for row in MERCHANTS]


class Spending(Life):
    """What a household buys and owes."""

    def _plan_bills(self, day: date) -> None:
        for key, name, on, dollars in BILLS:
            if day.day == on:
                season = {"electricity": ELECTRICITY, "heating": HEATING}.get(key)
                cents = dollars * 100
                if season is not None:
                    cents = season[day.month - 1] * self.book.rng.randint(90, 115)
                    cents += self.book.rng.randrange(100)
                self._at(day, 7, partial(self._bill, "bills", name, cents * self.scale))
        for name, on, before, after, change in SUBSCRIPTIONS:
            price = before if (day - self.start).days < change or change == 0 else after
            if day.day == on and price is not None:
                self._at(day, 4, partial(self._buy, "subscriptions", name, price))
        if day.day == 15 and day.month in (1, 4, 6, 9):
            self._at(day, 10, self._pay_taxes)

    def _bill(self, pod_key: str, name: str, cents: int) -> None:
        pod, payee = self.pods[pod_key], self.cast.payer(name)
        words = Words("PULLED_FROM_SEQUENCE", f"{name} AUTOPAY")
        if not self._cover(pod, cents):
            reason = "R01: Insufficient funds"
            refused(self.book, pod, payee, cents, "OUTGOING", words, reason)
            return
        at = banking.settles_card(self.book.now, self.book.rng)
        outgoing(self.book, pod, payee, cents, words, Ending(at))

    def _pay_taxes(self) -> None:
        cents = self.pods["taxes"].balance * 9 // 10
        if cents >= 100:
            self._bill("taxes", "U.S. Treasury", cents)

    def _plan_shopping(self, day: date) -> None:
        rng = self.book.rng
        if day.weekday() == 5:
            cents = self._dollars(85, 165)
            self._at(day, 10, partial(self._buy, "groceries", BIG_GROCER, cents))
        mean = _PER_DAY * self.scale - _FIXED + (0.9 if day.weekday() >= 5 else -0.36)
        for _ in range(max(1, int(mean * rng.uniform(0.5, 1.5) + rng.random()))):
            name, pod, low, high, _ = rng.choices(MERCHANTS, _WEIGHTS)[0]
            cents = self._dollars(low, high)
            self._at(day, rng.triangular(6.5, 23.2, 17.5), partial(self._buy, pod, name, cents))
        if day.month == 7 and day.day in (2, 3):
            cents = self._dollars(380, 460) * self.scale
            self._at(day, 14, partial(self._buy, "vacation", AIRLINE, cents))

    def _buy(self, pod_key: str, name: str, cents: int) -> None:
        """Pay by card, from the buffer where the pod is empty; declined where that is too."""
        merchant = self.cast.merchant(name)
        pod = self.pods[pod_key]
        if pod.balance < cents:
            pod = self.pods["buffer"]
        if pod.balance < cents:
            reason = "Card declined: insufficient funds"
            refused(self.book, pod, merchant, cents, "OUTGOING", Words(CARD), reason)
            return
        at = banking.settles_card(self.book.now, self.book.rng)
        outgoing(self.book, pod, merchant, cents, Words(CARD), Ending(at))
