"""What recurs is found with its cadence, price and next day; what does not is left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payments import monthly, table
from tables import fewer

from seqdata.analysis.recur.recurring import LastSeries, find_series, recurring

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def only(rows: pd.DataFrame, now: datetime = NOW) -> Any:
    """Return the only series of some transfers."""
    found = recurring(rows, now=now)
    assert len(found) == 1
    return found.iloc[0]


def test_a_subscription_has_its_price_and_its_next_day() -> None:
    """Ten equal payments on the fifth of each month are a subscription, next due on the fifth."""
    found = only(table(monthly("Streamly", 5, [1549] * 10)))
    assert (found.payee, found.account, found.account_id) == ("Streamly", "Bills", "pod")
    assert (found.kind, found.cadence, found.times) == ("subscription", "monthly", 10)
    assert (found.usual_cents, found.spread_cents, found.usual) == (1549, 0, 15.49)
    assert (found.first_date, found.last_date) == tuple(
        pd.to_datetime(["2026-01-05", "2026-10-05"])
    )
    assert found.next_date == pd.Timestamp("2026-11-05")
    assert found.is_active


def test_a_stopped_series_has_no_next_date() -> None:
    """A series whose last occurrence is one and a half periods ago has stopped."""
    found = only(table(monthly("GymBox", 3, [3900] * 7)))
    assert not found.is_active
    assert found.last_date == pd.Timestamp("2026-07-03")
    assert found.next_date is pd.NaT


def test_a_price_change_tells_the_price_before_and_the_day() -> None:
    """A price that changed for good is the usual one, with the one before and its first day."""
    found = only(table(monthly("Streamly", 5, [1549] * 6 + [1799] * 4)))
    assert (found.usual_cents, found.previous_cents) == (1799, 1549)
    assert found.changed_on == pd.Timestamp("2026-07-05")


def test_the_last_of_several_price_changes_counts() -> None:
    """Of two price changes the later one is told."""
    found = only(table(monthly("Streamly", 5, [1549] * 4 + [1799] * 3 + [1899] * 3)))
    assert (found.usual_cents, found.previous_cents) == (1899, 1799)
    assert found.changed_on == pd.Timestamp("2026-08-05")


def test_one_odd_amount_is_no_price_change() -> None:
    """A single different amount among equal ones leaves the price as it is."""
    found = only(table(monthly("GymBox", 3, [3900] * 5 + [4400] + [3900] * 4)))
    assert (found.usual_cents, found.times) == (3900, 10)
    assert found.previous_cents is pd.NA
    assert found.changed_on is pd.NaT


def test_a_raise_is_seen_in_amounts_that_vary() -> None:
    """Three payments clearly above all before them are a new level."""
    cents = [245_010, 246_020, 245_500, 247_100, 246_000, 245_200, 262_000, 263_100, 262_400]
    found = only(table(monthly("Rent and water", 1, cents, "2026-02")))
    assert found.usual_cents == 262_400
    assert found.changed_on == pd.Timestamp("2026-08-01")
    assert found.previous_cents == 245_750


def test_twice_a_month_is_not_every_two_weeks() -> None:
    """Payments on the 1st and the 15th are semimonthly, and the 1st comes next."""
    payments = monthly("Loan", 1, [5000] * 10) + monthly("Loan", 15, [5000] * 10)
    found = only(table(payments))
    assert (found.cadence, found.times) == ("semimonthly", 20)
    assert found.next_date == pd.Timestamp("2026-11-01")


def test_every_two_weeks_is_not_twice_a_month() -> None:
    """Payments each second Friday are biweekly."""
    fridays = pd.date_range("2026-05-01", periods=13, freq="14D")
    found = only(table([(str(day.date()), "Club", 2500) for day in fridays]))
    assert found.cadence == "biweekly"
    assert found.next_date == pd.Timestamp("2026-10-30")


def test_the_end_of_the_month_stays_the_end_of_the_month() -> None:
    """What comes on the last day of each month is next due on the last day of the next one."""
    found = only(
        table(monthly("Bank fee", 31, [1200] * 9, "2025-10")), datetime(2026, 7, 2, tzinfo=UTC)
    )
    assert found.cadence == "monthly"
    assert found.last_date == pd.Timestamp("2026-06-30")
    assert found.next_date == pd.Timestamp("2026-07-31")


def test_a_weekend_moves_the_next_date_where_it_always_did() -> None:
    """What the bank moves from weekends to Mondays is next due on a Monday."""
    nominal = pd.to_datetime([day for day, _, _ in monthly("Rent", 15, [1] * 13, "2025-10")])
    moved = [day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()]) for day in nominal]
    found = only(table([(str(day.date()), "Rent", 90_000) for day in moved]), NOW)
    assert pd.Timestamp("2026-11-15").day_name() == "Sunday"
    assert found.next_date == pd.Timestamp("2026-11-16")


def test_a_missing_month_and_a_double_one_are_still_monthly() -> None:
    """One month left out and one paid twice do not hide what is monthly."""
    payments = monthly("Water", 9, [4000] * 10)
    del payments[3]
    payments.append(("2026-07-10", "Water", 4000))
    found = only(table(payments))
    assert (found.cadence, found.times) == ("monthly", 10)
    assert found.next_date == pd.Timestamp("2026-11-09")


def test_two_subscriptions_of_one_payee_are_two_rows() -> None:
    """Two fixed amounts of a payee in the same months are two series."""
    payments = monthly("Orchard", 3, [299] * 10) + monthly("Orchard", 20, [1499] * 10)
    found = recurring(table(payments), now=NOW)
    assert sorted(found["usual_cents"]) == [299, 1499]
    assert set(found["cadence"]) == {"monthly"}


def test_a_subscription_is_found_among_purchases_at_the_same_payee() -> None:
    """One price that comes back each month is found in a shop where much else is bought."""
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 300, 60)), "D")
    bought = [(str(day.date()), "Emporium", int(rng.integers(500, 9000))) for day in days]
    found = only(table(bought + monthly("Emporium", 12, [1499] * 10)))
    assert (found.usual_cents, found.cadence, found.times) == (1499, "monthly", 10)


def test_groceries_and_coffee_are_not_recurring() -> None:
    """Purchases several times a week at their own pace are left out."""
    rng = np.random.default_rng(5)
    days = pd.date_range("2025-01-01", "2026-10-31")
    payments = [
        (str(day.date()), payee, int(rng.integers(300, 9000)))
        for payee, each in (("Market", 0.4), ("Coffee", 0.7), ("Shoes", 0.03), ("Fuel", 0.15))
        for day in days[rng.random(len(days)) < each]
    ]
    assert recurring(table(payments), now=NOW).empty


def test_what_failed_did_not_happen() -> None:
    """Transfers that failed or were cancelled are no occurrences."""
    payments = monthly("Club", 8, [2500] * 9)
    state = ["failed", "cancelled", "failed"] * 3
    assert recurring(table(payments, state=state), now=NOW).empty


def test_a_pending_transfer_is_an_occurrence() -> None:
    """What is on its way counts, so that the next one is the one after it."""
    payments = monthly("Club", 30, [2500] * 10)
    found = only(table(payments, state=["settled"] * 9 + ["open"]))
    assert found.times == 10
    assert found.next_date == pd.Timestamp("2026-11-30")


def test_estimated_taxes_come_on_their_four_dates() -> None:
    """Four dates a year are quarterly, however far apart, and next is the date after the last."""
    days = [f"{year}-{month:02}-15" for year in (2025, 2026) for month in (1, 4, 6, 9)]
    found = only(table([(day, "Treasury", 50_000 + place) for place, day in enumerate(days)]))
    assert found.cadence == "quarterly"
    assert found.next_date == pd.Timestamp("2027-01-15")


def test_yearly_takes_two_of_the_same_amount() -> None:
    """Two payments a year apart are yearly if they are of the same amount."""
    same = [("2024-11-20", "Domain", 1800), ("2025-11-20", "Domain", 1800)]
    other = [("2024-11-20", "Hotel", 18_000), ("2025-11-20", "Hotel", 31_000)]
    found = only(table(same + other))
    assert (found.payee, found.cadence) == ("Domain", "yearly")
    assert found.next_date == pd.Timestamp("2026-11-20")


def test_what_rises_each_year_costs_what_it_did_last() -> None:
    """A yearly price that rose twice is expected as it is now, and the rise is named."""
    prices = [("2024-03-04", 10_000), ("2025-03-04", 10_500), ("2026-03-04", 11_000)]
    found = only(table([(day, "Domain", cents) for day, cents in prices]))
    assert (found.cadence, found.usual_cents, found.previous_cents) == ("yearly", 11_000, 10_500)
    assert (found.changed_on, found.note) == (pd.Timestamp("2026-03-04"), "rose")


def test_equal_prices_half_a_month_apart_are_one() -> None:
    """Equal prices on the 5th and the 20th are one series; if one of them ends, the other is."""
    first, second = monthly("Orchard", 5, [999] * 20, "2025-03"), monthly("Orchard", 20, [999] * 10)
    found = only(table(monthly("Orchard", 5, [999] * 10) + second))
    assert (found.cadence, found.times) == ("semimonthly", 20)
    left = only(table(first + monthly("Orchard", 20, [999] * 12, "2025-03")))
    assert left.cadence == "monthly"
    assert left.next_date == pd.Timestamp("2026-11-05")


#: What was paid, and the word for it.
NOTED = {
    "not renewed": [(f"{year}-08-03", "Domain", 1800) for year in (2023, 2024, 2025)],
    "stopped": monthly("Gym", 7, [3900] * 5),
    "missed": monthly("Gym", 20, [3900] * 9),
    "rose": monthly("Gym", 7, [3900] * 6 + [4200] * 4),
    "fell": monthly("Gym", 7, [3900] * 6 + [3500] * 4),
    "seasonal": [
        one for year in (2024, 2025, 2026) for one in monthly("Pool", 7, [3900] * 5, f"{year}-05")
    ],
    "paused": [
        *monthly("Gym", 7, [3900] * 12, "2025-01"),
        *monthly("Gym", 7, [3900] * 6, "2026-05"),
    ],
}


@pytest.mark.parametrize("note", NOTED)
def test_what_is_to_be_said_of_a_series_is_a_word(note: str) -> None:
    """Pauses, seasons, missed turns, ends and changes of price are named."""
    assert only(table(NOTED[note])).note == note


def test_of_what_goes_on_as_ever_nothing_is_said() -> None:
    """A series without a change has no note."""
    assert pd.isna(only(table(monthly("Gym", 7, [3900] * 10))).note)


def test_money_that_comes_in_counts_on_the_day_it_arrives() -> None:
    """A paycheck is dated by its settlement, and one on its way by how long it usually takes."""
    fridays = pd.date_range("2026-05-01", periods=14, freq="14D")
    rows = table(
        [(str((day - timedelta(days=2)).date()), "Payroll", 200_000) for day in fridays],
        direction="INCOMING",
        source_party="entity",
        destination_party="port",
        destination_id="port",
        state=["settled"] * 13 + ["open"],
    )
    rows["effective_at"] = (rows["created_at"] + pd.Timedelta(days=2)).where(
        rows["state"] == "settled"
    )
    found = only(rows)
    assert (found.kind, found.cadence, found.account_id) == ("paycheck", "biweekly", "port")
    assert found.last_date == fridays[-1]
    assert found.next_date == pd.Timestamp("2026-11-13")


def test_moves_between_pods_are_asked_for() -> None:
    """Internal moves are listed if they are asked for, by their pair of accounts."""
    rows = table(
        monthly("Kids", 2, [5000] * 10), direction="INTERNAL", destination_party="pod"
    ).assign(destination_id="pod-2")
    assert recurring(rows, now=NOW).empty
    found = recurring(rows, now=NOW, include_internal=True).iloc[0]
    assert (found.kind, found.account_id, found.other_id) == ("transfer", "pod", "pod-2")


def test_own_accounts_are_told_by_their_id() -> None:
    """Two accounts that feed one pod are two series, named for the accounts."""
    rows = table(
        monthly("Pod", 8, [15_000] * 10) + monthly("Pod", 9, [15_000] * 10),
        direction="INCOMING",
        source_party="account",
        destination_party="pod",
        source_id=["out-1"] * 10 + ["out-2"] * 10,
        source_name=["Checking"] * 10 + ["Savings"] * 10,
    )
    found = recurring(rows, now=NOW)
    assert list(found["payee"]) == ["Checking", "Savings"]
    assert list(found["other_id"]) == ["out-1", "out-2"]
    assert list(found["kind"]) == ["transfer", "transfer"]


def test_what_is_owed_is_a_debt_and_own_moves_stand_last() -> None:
    """Payments of a card are of the kind debt; moves to own accounts stand after all others."""
    own = {"destination_party": ["account"] * 20 + ["merchant"] * 10}
    rows = table(
        monthly("Card", 2, [40_000] * 10)
        + monthly("Savings", 1, [9000] * 10)
        + monthly("Streamly", 5, [1549] * 10),
        **own,
        category=pd.Categorical(
            ["Debt payments"] * 10 + ["Moved to own accounts"] * 10 + [None] * 10
        ),
    )
    found = recurring(rows, now=NOW)
    assert list(zip(found["payee"], found["kind"], strict=True)) == [
        ("Card", "debt"),
        ("Streamly", "subscription"),
        ("Savings", "transfer"),
    ]


def test_a_payee_that_nothing_names_has_a_word() -> None:
    """No cell of the payees is empty."""
    rows = table(monthly("Streamly", 5, [1549] * 10)).assign(
        payee=pd.Series([None] * 10, dtype="str")
    )
    assert only(rows).payee == "unnamed"


def test_cents_a_month_are_no_subscription() -> None:
    """What costs less than a dollar is a bill."""
    assert only(table(monthly("Cloud", 5, [3] * 10))).kind == "bill"


def test_nothing_gives_an_empty_frame_of_the_same_kind() -> None:
    """No transfers give no rows, and the columns and dtypes of any other answer."""
    some = recurring(table(monthly("Streamly", 5, [1549] * 10)), now=NOW)
    none = recurring(table([]), now=NOW)
    assert none.empty
    assert isinstance(none.index, pd.RangeIndex)
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()


def _renamed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(payee=rows["payee"].str.replace("Orchard", "Apple"))


CHANGES: dict[str, Any] = {
    "an amount": lambda rows: rows.assign(
        amount_cents=rows["amount_cents"].where(rows.index != 3, 1)
    ),
    "a payee": _renamed,
    "a state": lambda rows: rows.assign(state=rows["state"].cat.rename_categories(["failed"])),
    "a category": lambda rows: rows.assign(category=pd.Categorical(["Food"] * len(rows))),
    "the zone": lambda rows: rows.assign(
        **{name: rows[name].dt.tz_convert("Asia/Tokyo") for name in ("created_at", "effective_at")}
    ),
    "a row": lambda rows: rows.iloc[:-1],
    "the order": lambda rows: rows.iloc[::-1].reset_index(drop=True),
    "a reversal": lambda rows: rows.assign(returned_at=rows["created_at"]),
    "nothing": lambda rows: rows.copy(),
}


@fewer
@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 40)), min_size=1))
def test_series_that_are_kept_are_never_those_of_other_transfers(
    steps: list[tuple[str, int]],
) -> None:
    """Whatever is changed between two questions, the answer is what would be found anew."""
    rows = table(monthly("Orchard", 3, [299] * 10) + monthly("Mill", 31, [1499] * 10))
    kept = LastSeries()
    for name, days in steps:
        asked = CHANGES[name](rows)
        now = NOW + timedelta(days=days)
        found, anew = kept.of(asked, now), find_series(asked, now)
        pd.testing.assert_frame_equal(found.table, anew.table)
        assert np.array_equal(found.label, anew.label)
    assert kept.of(asked, now) is found


STEPS = {"weekly": 7, "biweekly": 14, "monthly": 1, "quarterly": 3, "yearly": 12}


@st.composite
def made_up(draw: st.DrawFn) -> tuple[str, list[date]]:
    """Draw a cadence and days that keep to it but for two days."""
    cadence = draw(st.sampled_from([*STEPS, "semimonthly"]))
    start = pd.Timestamp("2020-01-01") + timedelta(days=draw(st.integers(0, 400)))
    times = 8 if cadence == "yearly" else draw(st.integers(12, 30))
    if cadence == "semimonthly":
        first = start.replace(day=draw(st.integers(3, 11)))
        months = [first + pd.DateOffset(months=place) for place in range(times // 2)]
        days = [day + timedelta(days=15 * half) for day in months for half in (0, 1)]
    elif cadence.endswith("weekly"):
        days = [start + timedelta(days=STEPS[cadence] * place) for place in range(times)]
    else:
        days = [start + pd.DateOffset(months=STEPS[cadence] * place) for place in range(times)]
    jitter = draw(st.lists(st.integers(-2, 2), min_size=len(days), max_size=len(days)))
    return cadence, [
        (day + timedelta(days=off)).date() for day, off in zip(days, jitter, strict=True)
    ]


@fewer
@given(made_up())
def test_any_cadence_is_found_in_spite_of_two_days(series: tuple[str, list[date]]) -> None:
    """A series of any cadence whose days are off by up to two is found with its cadence."""
    cadence, days = series
    rows = table([(str(day), "Club", 2500) for day in days])
    last = datetime.combine(max(days), datetime.min.time(), UTC) + timedelta(days=1)
    found = recurring(rows, now=last)
    assert list(found["cadence"]) == [cadence]
    assert found["is_active"].all()


@fewer
@given(made_up(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(series: tuple[str, list[date]], random: Any) -> None:
    """Shuffled transfers give the same table."""
    payments = [(str(day), "Club", 2500 + 7 * place) for place, day in enumerate(series[1])]
    payments += monthly("Streamly", 5, [1549] * 6 + [1799] * 4)
    payments += monthly("Orchard", 3, [299] * 10) + monthly("Orchard", 20, [1499] * 10)
    rows = table(payments)
    order = list(range(len(rows)))
    random.shuffle(order)
    expected = recurring(rows, now=NOW)
    pd.testing.assert_frame_equal(recurring(rows.iloc[order], now=NOW), expected)
