"""What recurs by the month: savings, debts, moves between accounts; and the world outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from seqdata.sandbox.rules.execution import TriggerDetails
from seqdata.sandbox.rules.model import Scheduled
from seqdata.sandbox.rules.schedule import due_at
from seqdata.sandbox.world import banking
from seqdata.sandbox.world.book import make_id
from seqdata.sandbox.world.cast import next_statement
from seqdata.sandbox.world.clock import day_of, midnight, moment
from seqdata.sandbox.world.elsewhere import note_day
from seqdata.sandbox.world.life import DAY, Life
from seqdata.sandbox.world.movements import Ending, Words, incoming, inside, outgoing


class Routines(Life):
    """What a household does on set days of the month."""

    def _plan_schedule(self, day: date) -> None:
        plans: dict[int, tuple[float, Callable[[], object]]] = {
            2: (9, self._feed_loan),
            5: (10, partial(self._scheduled, "save_outside")),
            8: (14, partial(self._pull_in, 150_00, "ONE_TIME_TRANSFER")),
            14: (9, partial(self._scheduled, "pay_card")),
            17: (9, partial(self._scheduled, "pay_loan")),
            23: (16, partial(self._pull_in, 220_00, "ACH")),
            24: (11, partial(self._send_out, "buffer", "checking", 120_00, "ACH")),
            27: (18, self._sweep),
        }
        if day.day in plans:
            hour, event = plans[day.day]
            self._at(day, hour, event)
        if day.weekday() == 2:
            self._at(day, 20, self._shuffle)

    def _scheduled(self, key: str) -> None:
        """Run one of the rules that the plan of the month has the hour of."""
        rule_id = make_id(self.book.name, "Rule", key)
        version = self.rulebook.version(rule_id)
        assert version is not None
        trigger = version.rule.trigger
        assert isinstance(trigger, Scheduled)
        if version.rule.runs:
            at = due_at(trigger, day_of(self.book.now), self.rulebook.readings)
            self.rulebook.run(rule_id, TriggerDetails("SCHEDULED", scheduled_at=at))

    def _feed_loan(self) -> None:
        """Fill the bills by hand where they lack, before the rule takes from them."""
        self._cover(self.pods["bills"], 320_00 * self.scale)
        self._scheduled("feed_loan")

    def _plan_rules(self, day: date) -> None:
        """Plan when the other scheduled rules are due in a day of New York."""
        begins, ends = midnight(day), midnight(day + DAY)
        dues = {
            at
            for utc_day in (day, day + DAY)
            for _, at in self.rulebook.due_on(utc_day)
            if begins <= at < ends
        }
        for at in sorted(dues):
            self._exactly(at, partial(self._run_due, at))

    def _run_due(self, at: int) -> None:
        dues = self.rulebook.due_on(moment(at).date())
        for rule_id in self.rulebook.due([own_id for own_id, due in dues if due == at]):
            self.rulebook.run(rule_id, TriggerDetails("SCHEDULED", scheduled_at=at))

    def _pull_in(self, cents: int, activity_type: str) -> None:
        at = banking.settles_inside(self.book.now, self.book.rng)
        words = Words(activity_type)
        cents *= self.scale
        pod = self.pods["groceries"]
        incoming(self.book, self.accounts["checking"], pod, cents, words, Ending(at))

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
        day = day_of(book.now)
        is_open = banking.is_banking_day(day)
        for key, account in self.accounts.items():
            scale, before = self.scale, account.balance
            if key == "checking":
                target = 3_000_00 * scale
                account.balance += (target - account.balance) // 20 + self._dollars(-40, 40) * scale
            elif key == "savings":
                account.balance -= max(0, account.balance - 25_000_00 * scale) // 50
            elif key == "card":
                account.balance += self._dollars(8, 54) * scale
            note_day(book, account, account.balance - before)
            if account.is_liability:
                account.statement = next_statement(account, key, day, scale)
            if account.provider != "MANUAL" and is_open:
                account.shown, account.refreshed_at = account.balance, book.now
                account.steps.append((book.now, account.balance))
