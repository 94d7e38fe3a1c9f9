"""What real data has and no example shows: failures, strange words, odd hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from seqdata.sandbox.world import banking
from seqdata.sandbox.world.cast import MERCHANTS
from seqdata.sandbox.world.clock import HOUR, MINUTE, SECOND, day_of, has_clock_change, midnight
from seqdata.sandbox.world.income import Income
from seqdata.sandbox.world.life import CARD, DAY
from seqdata.sandbox.world.movements import Ending, Words, incoming, inside, outgoing, refused
from seqdata.sandbox.world.spending import Spending

#: A status that no client can know.
UNKNOWN_STATUS = "UNDER_REVIEW"
#: The days after which the odd scenes repeat.
CYCLE = 30


class Oddities(Income, Spending):
    """What goes wrong, or looks as if it did."""

    def _plan_odd_hours(self, day: date) -> None:
        """Shop in the hours of a clock change, around midnight, at the ends of months."""
        rng, start = self.book.rng, midnight(day)
        offsets: list[int] = []
        if has_clock_change(day):
            offsets += [75 * MINUTE, 105 * MINUTE + 250_000, 135 * MINUTE, 165 * MINUTE]
        if day.day == 1:
            offsets += [0, 1000]
        if (day + DAY).day == 1:
            end = midnight(day + DAY) - start
            offsets += [end - 1000, end - 4 * HOUR - 1000, end - 4 * HOUR, end - 5 * HOUR]
        for offset in offsets:
            cents = self._dollars(4, 18)
            name = rng.choice(["🌮 Taco Cart", "Corner Store\n#0042", "City Fuel"])
            self._exactly(start + offset, partial(self._buy, "buffer", name, cents))

    def _plan_oddities(self, day: date) -> None:
        cycle, offset = divmod((day - self.start).days, CYCLE)
        hand = Words("ONE_TIME_TRANSFER", "by hand")
        between = partial(self._between_outside, 300_00 * self.scale, hand)
        rows: dict[int, tuple[float, Callable[[], object]]] = {
            6: (10, self._cancelled),
            9: (11, self._returned_pull),
            11: (13, self._returned_push),
            13: (12, self._under_review),
            15: (18, self._declined),
            17: (5, self._interest),
            19: (15, self._deposit_by_hand),
            21: (20, self._strange_words),
        }
        if cycle % 5 == 0:
            rows[2] = (10, partial(between, is_reversed=True))
        if cycle % 3 == 0:
            rows[4] = (10, partial(between, push_fails=True))
        if cycle == 0:
            rows[3] = (12, partial(self._use_closing, 120_00))
            rows[10] = (12, partial(self._use_closing, 255_00))
            rows[20] = (12, self._delete_pod)
        if offset in rows:
            hour, event = rows[offset]
            self._at(day, hour, event)
        first = (offset - 22) * 3
        if first >= 0:
            for name, pod, low, high, _ in MERCHANTS[first : first + 3]:
                self._at(day, 16, partial(self._buy, pod, name, self._dollars(low, high)))

    def _cancelled(self) -> None:
        at = self.book.now + 47 * MINUTE
        self._send_out("buffer", "checking", 85_00, "ONE_TIME_TRANSFER", Ending(at, "CANCELLED"))

    def _returned_pull(self) -> None:
        at = banking.settles_inside(self.book.now, self.book.rng)
        reason = self.book.rng.choice(["R01: Insufficient funds", "R02: Account closed"])
        words = Words("ACH")
        pod = self.pods["emergency"]
        ending = Ending(at, "FAILED", reason)
        incoming(self.book, self.accounts["checking"], pod, 400_00, words, ending)

    def _returned_push(self) -> None:
        at = self.book.now + 3 * 24 * HOUR
        reason = 'R03: No account, or "unable to locate account"'
        ending = Ending(at - at % SECOND, "FAILED", reason)
        self._send_out("buffer", "manual", 65_00, "ACH", ending)

    def _under_review(self) -> None:
        """Hold a payment in an unknown status for longer than the cycle."""
        pod, cents = self.pods["emergency"], 145_00
        if pod.balance < cents:
            return
        ending = Ending(self.book.now + 35 * 24 * HOUR)
        words = Words("ONE_TIME_TRANSFER", "to Grandma, with ♥")
        transfer = outgoing(self.book, pod, self.accounts["manual"], cents, words, ending)

        def review() -> None:
            self.book.set_status(transfer, UNKNOWN_STATUS)
            assert transfer.payment is not None
            transfer.payment.status = UNKNOWN_STATUS

        self._exactly(self.book.now + 3 * HOUR, review)

    def _declined(self) -> None:
        name, pod, low, high, _ = self.book.rng.choice(MERCHANTS)
        reason = "Card declined: suspected fraud"
        cents = self._dollars(low * 4, high * 4)
        merchant = self.cast.merchant(name)
        refused(self.book, self.pods[pod], merchant, cents, "OUTGOING", Words(CARD), reason)

    def _interest(self) -> None:
        """Credit money whose source the service does not name."""
        ending = Ending(self.book.now + 2 * HOUR)
        words = Words("MONEY_IN", "Interest")
        incoming(self.book, None, self.pods["emergency"], self._dollars(1, 6), words, ending)

    def _deposit_by_hand(self) -> None:
        at = banking.settles_inside(self.book.now, self.book.rng)
        port = self.cast.ports["freelance"]
        words = Words("MONEY_IN", 'Zelle from Aunt Žofie: "for the kids", 100 €?')
        payer = self.cast.payer("Žofie Nováková")
        incoming(self.book, payer, port, 100_00, words, Ending(at))

    def _strange_words(self) -> None:
        texts = ["=1+1", "two\nlines", 'says "hi", twice', "NA", "00123", " spaced ", "", "😀"]
        text = texts[(day_of(self.book.now) - self.start).days // CYCLE % len(texts)]
        if self.pods["buffer"].balance >= 12_34:
            words = Words("ONE_TIME_TRANSFER", text)
            inside(self.book, self.pods["buffer"], self.pods["kids"], 12_34, words)

    def _use_closing(self, cents: int) -> None:
        pod = self.pods["closing"]
        if pod.balance >= cents:
            words = Words("ONE_TIME_TRANSFER", "car repair")
            inside(self.book, pod, self.pods["buffer"], cents, words)

    def _delete_pod(self) -> None:
        """Empty a pod and delete it. Old transfers go on naming it."""
        pod = self.pods["closing"]
        if pod.balance:
            self._use_closing(pod.balance)
        pod.deleted_at = self.book.now
