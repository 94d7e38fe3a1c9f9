"""What recurs by the month: savings, debts, moves between accounts; and the world outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.clock import day_of
from seqdata.sandbox.world.life import Life
from seqdata.sandbox.world.movements import Ending, Words, incoming, inside, outgoing
from seqdata.sandbox.world.records import Holding, Rule


class Routines(Life):
    """What a household does on set days of the month."""

    def _plan_schedule(self, day: date) -> None:
        plans: dict[int, tuple[float, Callable[[], object]]] = {
            2: (9, self._feed_loan),
            5: (10, self._save_outside),
            8: (14, partial(self._pull_in, 150_00, "ONE_TIME_TRANSFER")),
            14: (9, self._pay_card),
            17: (9, self._pay_loan),
            23: (16, partial(self._pull_in, 220_00, "ACH")),
            24: (11, partial(self._send_out, "buffer", "checking", 120_00, "ACH")),
            27: (18, self._sweep),
        }
        if day.day in plans:
            hour, event = plans[day.day]
            self._at(day, hour, event)
        if day.weekday() == 2:
            self._at(day, 20, self._shuffle)

    def _feed_loan(self) -> None:
        words = Words("RULE", rule=Rule("SCHEDULED", "0 9 2 * *"))
        cents = 320_00 * self.scale
        if self._cover(self.pods["bills"], cents):
            inside(self.book, self.pods["bills"], self.pods["loan"], cents, words)

    def _save_outside(self) -> None:
        words = Words("RULE", "Monthly saving", Rule("SCHEDULED", "0 10 5 * *"))
        self._between_outside(250_00 * self.scale, words)

    def _pull_in(self, cents: int, activity_type: str) -> None:
        at = banking.settles_inside(self.book.now, self.book.rng)
        words = Words(activity_type)
        cents *= self.scale
        pod = self.pods["groceries"]
        incoming(self.book, self.accounts["checking"], pod, cents, words, Ending(at))

    def _pay_liability(self, pod: Holding, cents: int, cron: str) -> None:
        assert pod.linked is not None
        if cents >= 100:
            at = banking.settles_liability(self.book.now, self.book.rng)
            words = Words("RULE", "Liability payment", Rule("SCHEDULED", cron))
            outgoing(self.book, pod, pod.linked, cents, words, Ending(at))

    def _pay_card(self) -> None:
        pod = self.pods["card"]
        owed = self.accounts["card"].balance
        self._pay_liability(pod, min(pod.balance, owed), "0 9 14 * *")

    def _pay_loan(self) -> None:
        pod, owed = self.pods["loan"], self.accounts["loan"].balance
        cents = min(pod.balance, owed, 320_00 * self.scale)
        self._pay_liability(pod, cents, "0 9 17 * *")

    def _sweep(self) -> None:
        """Send what has grown beyond its purpose to the outside savings."""
        for pod in self.pods.values():
            goal = pod.node["goalAmountInCents"] or 2_500_00 * self.scale
            excess = pod.balance - goal
            is_bills = pod is self.pods["bills"]
            if excess >= 500_00 * self.scale and not is_bills and pod.deleted_at is None:
                at = banking.settles_outside(self.book.now, self.book.rng)
                words = Words("ONE_TIME_TRANSFER", "sweep")
                outgoing(self.book, pod, self.accounts["savings"], excess, words, Ending(at))

    def _shuffle(self) -> None:
        """Move a little by hand from the buffer to where it is thinnest."""
        everyday = [self.pods[key] for key in ("groceries", "dining", "kids")]
        thinnest = min(everyday, key=lambda pod: pod.balance)
        cents = self._dollars(15, 45)
        if self.pods["buffer"].balance >= cents + 300_00:
            words = Words("ONE_TIME_TRANSFER", self.book.rng.choice([None, "groceries?", "NA"]))
            inside(self.book, self.pods["buffer"], thinnest, cents, words)

    def _refresh_outside(self) -> None:
        """Live a day outside of Sequence; on banking days, read the balances again."""
        book = self.book
        is_open = banking.is_banking_day(day_of(book.now))
        for key, account in self.accounts.items():
            scale = self.scale
            if key == "checking":
                target = 3_000_00 * scale
                account.balance += (target - account.balance) // 20 + self._dollars(-40, 40) * scale
            elif key == "savings":
                account.balance -= max(0, account.balance - 25_000_00 * scale) // 50
            elif key == "card":
                account.balance += self._dollars(8, 54) * scale
            if account.provider != "MANUAL" and is_open:
                account.shown, account.refreshed_at = account.balance, book.now
                account.steps.append((book.now, account.balance))
