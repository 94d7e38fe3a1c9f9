"""What a household does on each day: paychecks, rules, bills, shopping, oddities.

Each day of New York is planned at its midnight from random numbers sown by the seed, the
organization and the day alone. What happens during the day looks at the balances of that
moment, so that no pod is ever overdrawn.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from seqdata.sandbox import banking
from seqdata.sandbox.book import Book
from seqdata.sandbox.cast import (
    AIRLINE,
    BIG_GROCER,
    BILLS,
    ELECTRICITY,
    HEATING,
    MERCHANTS,
    PORTS,
    SUBSCRIPTIONS,
    make_cast,
)
from seqdata.sandbox.clock import HOUR, MINUTE, SECOND, day_of, has_clock_change, midnight
from seqdata.sandbox.movements import (
    Ending,
    Legs,
    Words,
    compound,
    incoming,
    inside,
    outgoing,
    refused,
)
from seqdata.sandbox.records import Holding, Outside, Party, Rule, Transfer

#: The service documents no activity type for cards. These are the sandbox's.
CARD = "CARD_PURCHASE"
REFUND = "CARD_REFUND"
#: A status that no client can know.
UNKNOWN_STATUS = "UNDER_REVIEW"

DAY = timedelta(days=1)
#: The days after which the odd scenes repeat.
CYCLE = 30
#: Transfers a day at scale 1, of which the fixed routines make `_FIXED`.
_PER_DAY, _FIXED = 5.45, 4.55

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


class Household:
    """The life of one organization, written into its book day by day."""

    def __init__(self, book: Book, start: date, scale: int) -> None:
        self.book = book
        self.start = start
        self.scale = scale
        self.cast = make_cast(book, scale)
        self.pods = self.cast.pods
        self.accounts = self.cast.accounts
        self._weights = [row[4] for row in MERCHANTS]
        book.plan(book.start, partial(self._plan_day, start))

    # -- planning ------------------------------------------------------------------

    def _plan_day(self, day: date) -> None:
        self.book.rng.seed(f"{self.book.name}/{day.toordinal()}")
        self._at(day, 6, self._refresh_outside)
        self._plan_income(day)
        self._plan_bills(day)
        self._plan_shopping(day)
        self._plan_schedule(day)
        self._plan_odd_hours(day)
        self._plan_oddities(day)
        self.book.plan(midnight(day + DAY), partial(self._plan_day, day + DAY))

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

    # -- money in ------------------------------------------------------------------

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

    # -- money out -----------------------------------------------------------------

    def _cover(self, pod: Holding, cents: int) -> bool:
        """Fill a pod by hand from the buffer, else the savings, where a bill needs it."""
        lacking = max(cents - pod.balance, 100)
        for key in ("buffer", "emergency"):
            source = self.pods[key]
            if pod.balance < cents and source is not pod and source.balance >= lacking:
                inside(self.book, source, pod, lacking, Words("ONE_TIME_TRANSFER", "top-up"))
        return pod.balance >= cents

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
            name, pod, low, high, _ = rng.choices(MERCHANTS, self._weights)[0]
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

    # -- schedules -----------------------------------------------------------------

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

    def _between_outside(
        self, cents: int, words: Words, *, push_fails: bool = False, is_reversed: bool = False
    ) -> None:
        book, rng = self.book, self.book.rng
        pull = banking.settles_inside(book.now, rng)
        push = banking.settles_inside(pull, rng)
        reversal = banking.settles_inside(push + 5 * 24 * HOUR, rng) if is_reversed else None
        if push_fails:
            reversal = banking.settles_inside(push, rng)
        legs = Legs(pull, push, reversal, push_fails)
        source, destination = self.accounts["checking"], self.accounts["savings"]
        compound(book, source, destination, cents, words, legs)

    def _pull_in(self, cents: int, activity_type: str) -> None:
        at = banking.settles_inside(self.book.now, self.book.rng)
        words = Words(activity_type)
        cents *= self.scale
        pod = self.pods["groceries"]
        incoming(self.book, self.accounts["checking"], pod, cents, words, Ending(at))

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

    # -- oddities ------------------------------------------------------------------

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
        incoming(self.book, payer, port, 100_00, words, Ending(at), then=self._split)

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
