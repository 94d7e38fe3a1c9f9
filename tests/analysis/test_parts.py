"""One payee that is paid for several things is several series: by day first, then by amount."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st
from payments import Payment, monthly, table
from tables import fewer

from seqdata.analysis.recur.recurring import recurring

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def series_of(payments: list[Payment], **others: object) -> list[tuple[str, int, int]]:
    """Return cadence, usual cents and times of all series of some payments."""
    found = recurring(table(payments, **others), now=NOW)
    columns = (found[name] for name in ("cadence", "usual_cents", "times"))
    return sorted(zip(*columns, strict=True))


def biweekly(payee: str, cents: list[int], first: str = "2026-01-09") -> list[Payment]:
    days = pd.date_range(first, periods=len(cents), freq="14D")
    return [(str(day.date()), payee, amount) for day, amount in zip(days, cents, strict=True)]


def test_two_equal_salaries_of_one_employer_are_two() -> None:
    """Two payments of one amount on each payday are two series."""
    pay = biweekly("Mill", [140_000] * 20)
    comes_in = {"direction": "INCOMING", "source_party": "entity", "destination_party": "port"}
    assert series_of(pay + pay, **comes_in, destination_id="port") == [
        ("biweekly", 140_000, 20),
        ("biweekly", 140_000, 20),
    ]


def test_two_salaries_that_vary_are_two() -> None:
    """Two payments on each payday, of amounts that vary a little, are told apart by amount."""
    rng = np.random.default_rng(1)
    one, other = ([int(c) for c in base + rng.integers(0, 3000, 20)] for base in (140_000, 146_000))
    found = series_of(biweekly("Mill", one) + biweekly("Mill", other), source_party="entity")
    assert [(cadence, times) for cadence, _, times in found] == [("biweekly", 20)] * 2
    assert found[1][1] - found[0][1] > 3000


def test_two_phones_at_one_shop_are_two_among_other_purchases() -> None:
    """Two equal monthly prices are two series, in a shop where much else is bought too."""
    phones = monthly("Mobile", 7, [4500] * 10)
    assert series_of(phones + phones) == [("monthly", 4500, 10)] * 2
    rng = np.random.default_rng(4)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 300, 40)), "D")
    bought = [(str(day.date()), "Mobile", int(rng.integers(500, 9000))) for day in days]
    assert series_of(phones + phones + bought) == [("monthly", 4500, 10)] * 2


def test_near_prices_on_two_days_are_two() -> None:
    """$9.99 on the 5th and $10.99 on the 20th are two subscriptions, not one twice a month."""
    payments = monthly("Orchard", 5, [999] * 10) + monthly("Orchard", 20, [1099] * 10)
    assert series_of(payments) == [("monthly", 999, 10), ("monthly", 1099, 10)]


def test_near_prices_on_one_day_are_two() -> None:
    """Two prices near each other on the same day are two subscriptions."""
    payments = monthly("Orchard", 5, [999] * 10) + monthly("Orchard", 5, [1099] * 10)
    assert series_of(payments) == [("monthly", 999, 10), ("monthly", 1099, 10)]


def test_two_cards_of_one_bank_are_two() -> None:
    """Payments of amounts that vary, on two days of the month, are two series."""
    rng = np.random.default_rng(2)
    cents = rng.integers(20_000, 90_000, (2, 12)).tolist()
    for days in ((3, 9), (3, 21), (27, 3)):
        payments = [
            one
            for day, amounts in zip(days, cents, strict=True)
            for one in monthly("Bank", day, amounts, "2025-11")
        ]
        found = series_of(payments, destination_party="entity")
        assert [(cadence, times) for cadence, _, times in found] == [("monthly", 12)] * 2


def test_one_pay_twice_a_month_stays_one() -> None:
    """Pay on the 15th and the last day that varies, or differs by its half, is one series."""
    comes_in = {"direction": "INCOMING", "source_party": "entity", "destination_party": "port"}
    pay = monthly("Mill", 15, [210_000] * 10) + monthly("Mill", 31, [223_000] * 10)
    [(cadence, _, times)] = series_of(pay, **comes_in, destination_id="port")
    assert (cadence, times) == ("semimonthly", 20)


def test_a_service_and_two_others_on_their_days_are_three() -> None:
    """Of two prices on one day and one of them on another day, all three are found."""
    payments = [
        *monthly("Cloud", 4, [999] * 9, "2026-02"),
        *monthly("Cloud", 4, [2499] * 9, "2026-02"),
        *monthly("Cloud", 12, [999] * 9, "2026-02"),
    ]
    assert series_of(payments) == [("monthly", 999, 9)] * 2 + [("monthly", 2499, 9)]


@st.composite
def bundles(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw two or three things of one payee: a day of the month and a price for each."""
    first = draw(st.integers(1, 6))
    days = [first, first + 7, first + 17]
    prices = st.integers(500, 20_000)
    return [(day, draw(prices)) for day in days[: draw(st.integers(2, 3))]]


@fewer
@given(bundles(), st.booleans(), st.data())
def test_any_few_things_of_a_payee_are_found(
    things: list[tuple[int, int]], has_twin: bool, data: st.DataObject
) -> None:
    """Whatever the prices, things on days of their own are a series each, and so is a twin of one
    (among things of other prices: three equal ones, two of them on one day, are not told apart)."""
    assume(not has_twin or len({cents for _, cents in things}) == len(things))
    things = things + things[: int(has_twin)]
    payments = [one for day, cents in things for one in monthly("Payee", day, [cents] * 10)]
    order = data.draw(st.permutations(range(len(payments))))
    found = series_of([payments[place] for place in order])
    assert found == sorted(("monthly", cents, 10) for _, cents in things)


def test_random_shops_are_hardly_ever_series() -> None:
    """Of 300 shops with purchases at random, at most one looks as if it recurred."""
    rng = np.random.default_rng(20)
    payments = []
    for shop in range(300):
        span = int(rng.integers(200, 760))
        days = rng.integers(0, span, rng.poisson(span * 10 ** rng.uniform(-2.3, -0.2)))
        prices = rng.choice([450, 525, 675, 999], len(days))
        cents = rng.integers(300, 9000, len(days)) if shop % 2 else prices
        payments += [
            (str(date(2026, 10, 30) - timedelta(days=int(day))), f"Shop {shop}", int(much))
            for day, much in zip(days, cents, strict=True)
        ]
    rows = table(payments).assign(destination_id="shop")
    assert len(recurring(rows, now=NOW)) <= 1


def test_what_came_back_or_was_nothing_did_not_happen() -> None:
    """Payments that were reversed are no occurrences, nor is a trial of $0."""
    rows = table(monthly("Club", 8, [2500] * 7))
    back = rows["effective_at"] + pd.Timedelta(days=2)
    assert recurring(rows.assign(returned_at=back), now=NOW).empty
    found = series_of(monthly("Streamly", 5, [0, 1549, 1549, 1549, 1549], "2026-06"))
    assert found == [("monthly", 1549, 4)]
