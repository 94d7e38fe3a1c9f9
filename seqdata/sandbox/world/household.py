"""The life of a household, day by day: paychecks, rules, bills, shopping, oddities.

Each day of New York is planned at its midnight from random numbers sown by the seed, the
organization and the day alone. What happens during the day looks at the balances of that
moment, so that no pod is ever overdrawn.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from seqdata.sandbox.rules.readings import Readings
from seqdata.sandbox.world.book import Book
from seqdata.sandbox.world.clock import midnight
from seqdata.sandbox.world.life import DAY
from seqdata.sandbox.world.oddities import Oddities
from seqdata.sandbox.world.routines import Routines


class Household(Oddities, Routines):
    """The life of one organization, written into its book."""

    def __init__(self, book: Book, start: date, scale: int, seed: int, readings: Readings) -> None:
        super().__init__(book, start, scale, seed, readings)
        book.plan(book.start, partial(self._plan_day, start))

    def _plan_day(self, day: date) -> None:
        self.book.rng.seed(f"{self.book.name}/{day.toordinal()}")
        self._at(day, 6, self._refresh_outside)
        self._plan_income(day)
        self._plan_bills(day)
        self._plan_shopping(day)
        self._plan_schedule(day)
        self._plan_odd_hours(day)
        self._plan_oddities(day)
        self._plan_rules(day)
        self.book.plan(midnight(day + DAY), partial(self._plan_day, day + DAY))
