"""A small household of round numbers, on whose books rules run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from seqdata.sandbox.rules.execution import Execution, TriggerDetails
from seqdata.sandbox.rules.model import (
    Action,
    Limit,
    Manual,
    OnFundsTransferred,
    Rule,
    Scheduled,
    Step,
    Trigger,
)
from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import SECOND, micros
from seqdata.sandbox.world.movements import Ending, Words, incoming, inside
from seqdata.sandbox.world.records import Holding, Outside, Statement, Transfer
from seqdata.sandbox.world.rulebook import Rulebook

#: A Wednesday.
START = "2026-10-14T15:00:00Z"


def at(text: str) -> int:
    """Read an instant."""
    return micros(datetime.fromisoformat(text))


def dollars(amount: float) -> int:
    """Give dollars in cents."""
    return round(amount * 100)


class Household:
    """Pods and accounts by name, with the balances that are given in dollars.

    `card` is a debt of $500 whose statement said $400, of which $35 are due; `bank` is an outside
    account with $1,000; of `unknown`, nothing is known.
    """

    def __init__(self, start: str = START, *, readings: Readings | None = None, **pods: float):
        self.book = Book("test", at(start))
        for name, amount in pods.items():
            cents = dollars(amount)
            pod = Holding("Pod", name, name, {}, opening=cents, balance=cents)
            self.book.holdings[name] = pod
        statement = Statement(date(2026, 10, 1), 400_00, 35_00, date(2026, 10, 26))
        for account in (
            Outside("Account", "card", "card", {}, is_liability=True, balance=500_00, shown=450_00,
                    statement=statement),
            Outside("Account", "bank", "bank", {}, balance=1_000_00, shown=1_000_00),
            Outside("Account", "unknown", "unknown", {}, provider="MANUAL"),
        ):  # fmt: skip
            self.book.outside[account.name] = account
        self.rulebook = Rulebook(self.book, readings or Readings())

    def add(self, trigger: Trigger, *steps: Step, id: str = "rule", **more: Any) -> str:
        """Take in a rule."""
        created = more.pop("created_at", self.book.now)
        rule = Rule(id=id, name=more.pop("name", id), trigger=trigger, steps=steps,
                    created_at=created, updated_at=created, **more)  # fmt: skip
        self.rulebook.add(rule)
        return id

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.book.run_until(self.book.now + seconds * SECOND)

    def deposit(self, pod: str, amount: float) -> None:
        """Let money come to a pod now, and its rules run."""
        ending = Ending(self.book.now)
        words = Words("MONEY_IN")
        incoming(self.book, None, self.book.holdings[pod], dollars(amount), words, ending)
        self.pass_time(60)

    def announce(self, pod: str, amount: float) -> None:
        """Let money be on its way to a pod for three days."""
        ending = Ending(self.book.now + 3 * 86_400 * SECOND)
        words = Words("ACH")
        incoming(self.book, None, self.book.holdings[pod], dollars(amount), words, ending)

    def hand(self, source: str, destination: str, amount: float) -> None:
        """Move money between pods by hand."""
        pods = self.book.holdings
        words = Words("ONE_TIME_TRANSFER")
        inside(self.book, pods[source], pods[destination], dollars(amount), words)
        self.pass_time(60)

    def run(self, *steps: Step, trigger: Trigger | None = None) -> Execution:
        """Run a rule of these steps on its schedule, now."""
        name = f"rule {len(self.rulebook.versions)}"
        self.add(trigger or Scheduled("DAILY", self.book.now, "pod"), *steps, id=name)
        execution = self.rulebook.run(name, TriggerDetails("SCHEDULED"))
        self.pass_time(60)
        return execution

    @property
    def balances(self) -> dict[str, float]:
        """The dollars of each pod."""
        return {name: pod.balance / 100 for name, pod in self.book.holdings.items()}


def moves(execution: Execution) -> list[float]:
    """Give the dollars that a run has moved, in order."""
    return [one.cents / 100 for one in rows(execution) if one.status != "FAILED"]


def rows(execution: Execution) -> list[Transfer]:
    """Give the transfers of a run, failed ones too."""
    return [one for one in execution.transfers if isinstance(one, Transfer)]


def action(kind: str, source: str = "pod", destination: str = "other", **more: Any) -> Action:
    """Write an action; what is in dollars ends in `dollars`."""
    if "dollars" in more:
        more["amount_cents"] = dollars(more.pop("dollars"))
    return Action(type=kind, source=source, destination=destination, **more)


def step(*actions: Action, conditions: Any = None) -> Step:
    """Write a step."""
    return Step(actions, conditions)


def cap(period: str, amount: float) -> Limit:
    """Write a limit."""
    return Limit(period, dollars(amount))


fixed = partial(action, "FIXED")
top_up = partial(action, "TOP_UP")
round_down = partial(action, "ROUND_DOWN")
incoming_share = partial(action, "PERCENTAGE", target="INCOMING_AMOUNT")
balance_share = partial(action, "PERCENTAGE", target="SOURCE_ACCOUNT")
on_pod = OnFundsTransferred("pod")
by_hand = Manual("pod")

__all__ = [
    "Household", "Readings", "Scheduled", "action", "at", "balance_share", "by_hand", "cap",
    "fixed", "incoming_share", "moves", "on_pod", "replace", "round_down", "rows", "step",
    "top_up",
]  # fmt: skip
