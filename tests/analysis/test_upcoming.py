"""What is expected, what it leaves in the pods, and how that compares with what came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payments import Payment, monthly, table
from tables import fewer

from seqdata.analysis.recur.forecast import path
from seqdata.analysis.recur.projection import projected_balances, running_short
from seqdata.analysis.recur.recurring import find_series, recurring
from seqdata.analysis.recur.upcoming import moves_ahead, upcoming

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = pd.Timestamp("2026-11-01")


def expect(rows: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return what is expected after some transfers, between pods too."""
    return upcoming(rows, now=NOW, **{"include_internal": True} | options)


def holds(cents: int, name: str = "pod", kind: str = "pod") -> pd.DataFrame:
    """Return the balance of one account, as the accounts table has it."""
    balance = pd.array([cents], dtype="Int64")
    columns = {"id": [name], "name": [name.title()], "kind": [kind], "balance_cents": balance}
    return pd.DataFrame(columns)


def project(rows: pd.DataFrame, held: pd.DataFrame, days: int = 30) -> pd.DataFrame:
    """Return the projected balances after some transfers."""
    return projected_balances(held, rows, now=NOW, days=days)


def test_a_subscription_is_expected_on_its_day() -> None:
    """The next payment of a series is one row, signed as the pod sees it."""
    rows = table(monthly("Streamly", 5, [1549] * 10))
    [found] = expect(rows).to_dict("records")
    assert (found["date"], found["account_id"]) == (pd.Timestamp("2026-11-05"), "pod")
    assert (found["expected_cents"], found["low_cents"], found["high_cents"]) == (-1549,) * 3
    assert (found["basis"], found["direction"]) == ("recurring", "OUTGOING")
    assert pd.isna(found["id"])


def test_the_low_side_of_a_bill_is_the_larger_bill() -> None:
    """A bill that varies has a band of its spread around the usual amount."""
    cents = [9000, 11_000, 10_000, 9500, 10_500, 10_000, 9000, 11_000, 10_000, 10_000]
    rows = table(monthly("Power", 5, cents), destination_party="entity")
    series = recurring(rows, now=NOW).iloc[0]
    [found] = expect(rows).to_dict("records")
    assert found["expected_cents"] == -series["usual_cents"] == -10_000
    assert found["low_cents"] == -10_000 - series["spread_cents"]
    assert found["high_cents"] == -10_000 + series["spread_cents"]


def test_a_weekly_payment_comes_every_week_of_the_horizon() -> None:
    """All occurrences up to the last day of the horizon are listed, that day included."""
    days = pd.date_range("2026-08-01", "2026-10-31", freq="7D")
    rows = table([(str(day.date()), "Market", 9000) for day in days])
    dates = ["2026-11-07", "2026-11-14", "2026-11-21", "2026-11-28"]
    assert list(expect(rows, days=27)["date"]) == list(pd.to_datetime(dates))
    assert list(expect(rows, days=26)["date"]) == list(pd.to_datetime(dates[:3]))


def test_the_end_of_the_month_is_expected_at_the_end_of_each_month() -> None:
    """Over months of different length, the last day stays the last day."""
    rows = table(monthly("Bank fee", 31, [1200] * 10))
    dates = ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31"]
    assert list(expect(rows, days=155)["date"]) == list(pd.to_datetime(dates))


def test_two_days_a_month_take_turns() -> None:
    """The 1st and the 15th come in turn."""
    rows = table(monthly("Loan", 1, [5000] * 10) + monthly("Loan", 15, [5000] * 10))
    dates = ["2026-11-01", "2026-11-15", "2026-12-01", "2026-12-15"]
    assert list(expect(rows, days=50)["date"]) == list(pd.to_datetime(dates))


def test_what_has_stopped_is_not_expected() -> None:
    """A series that has stopped brings nothing."""
    assert expect(table(monthly("GymBox", 3, [3900] * 7))).empty


def test_a_pending_payment_takes_the_place_of_its_occurrence() -> None:
    """A payment that has left its pod is not expected again, and its series goes on after it."""
    rows = table(monthly("Club", 30, [2500] * 10), state=["settled"] * 9 + ["open"])
    assert list(expect(rows)["date"]) == [pd.Timestamp("2026-11-30")]


def test_a_pending_deposit_is_known_and_counts_once() -> None:
    """Money on its way is expected on the day the service says, once, without a band."""
    rows = table(
        monthly("Payroll", 30, [200_000] * 10),
        direction="INCOMING",
        source_party="entity",
        destination_party="port",
        destination_name="Pay",
        destination_id="port",
        state=["settled"] * 9 + ["open"],
    )
    rows["effective_at"] = rows["effective_at"].where(rows["state"] == "settled")
    day = pd.Timestamp("2026-11-03").date()
    legs = pd.DataFrame({"id": ["9"], "leg": ["payment"], "expected_on": [day]})
    found = expect(rows, days=20, legs=legs)
    assert list(found["date"]) == [pd.Timestamp("2026-11-03")]
    assert list(found[["expected_cents", "low_cents", "high_cents"]].iloc[0]) == [200_000] * 3
    assert list(found["id"]) == ["9"]
    rows["effective_at"] += pd.Timedelta(days=4)
    assert list(expect(rows, days=20)["date"]) == [pd.Timestamp("2026-11-03")]
    first = rows[9:].reset_index(drop=True)
    assert list(expect(first, days=20)["date"]) == [pd.Timestamp("2026-11-02")]


def test_a_deposit_that_always_bounced_is_not_counted_on() -> None:
    """Money on its way whose like has failed each time is expected to fail, too."""
    rows = table(
        monthly("Checking", 31, [40_000] * 10),
        direction="INCOMING",
        source_party="account",
        destination_id="pod",
        state=["failed"] * 9 + ["open"],
    )
    rows["effective_at"] = rows["effective_at"].where(rows["state"] == "settled")
    found = expect(rows)
    assert list(found[["low_cents", "expected_cents", "high_cents"]].iloc[0]) == [0, 0, 40_000]


@pytest.mark.parametrize(("day", "cents"), [(31, 215_000), (25, 215_000), (20, 215_000), (16, 0)])
def test_a_payment_that_is_overdue_is_still_to_come(day: int, cents: int) -> None:
    """Rent that was not paid on its day is expected each day, until half a month has passed."""
    rows = table(monthly("Rent", day, [215_000] * 9))
    found = expect(rows, days=0)
    late = found[found["basis"] == "overdue"]
    assert -late["expected_cents"].sum() == cents
    assert list(late["high_cents"]) == [0] * len(late)
    assert (late["low_cents"] == late["expected_cents"]).all()
    assert (late["date"] == TODAY).all()
    held = project(rows, holds(500_000), days=5)
    assert list(held["balance_cents"][1:]) == [500_000 - cents] * 5
    assert (held["low_cents"][1:] <= 500_000 - cents).all()


@given(st.sampled_from([7, 14]), st.integers(0, 30))
def test_overdue_is_what_was_due_and_not_seen(period: int, skipped: int) -> None:
    """A payment is overdue from the day after it was due, at most for half a period."""
    last = TODAY - pd.Timedelta(days=skipped)
    days = [last - pd.Timedelta(days=period * turn) for turn in range(12)]
    rows = table([(str(day.date()), "Music", 4000) for day in days])
    found = expect(rows, days=0)
    waited = skipped - period
    is_late = bool(len(found)) and (found["basis"] == "overdue").any()
    assert is_late == (0 < waited <= max(period // 2, 4))
    assert (found["basis"] == "overdue").sum() <= 1


def test_overdue_income_is_not_relied_on() -> None:
    """A paycheck that is late by more than 4 days is in the high side alone."""
    for day, expected in ((30, 200_000), (24, 0)):
        rows = table(
            monthly("Payroll", day, [200_000] * 9), direction="INCOMING", source_party="entity",
            source_id="firm", source_name="Firm", destination_id="pod",
        )  # fmt: skip
        [late] = expect(rows, days=0).to_dict("records")
        assert late["basis"] == "overdue"
        assert (late["low_cents"], late["high_cents"]) == (0, 200_000)
        assert late["expected_cents"] == expected


def payday(pending: int | None = None, deposits: int = 8) -> pd.DataFrame:
    """Make deposits at odd times to a port that passes on a quarter, a half and the rest."""
    days = [TODAY - pd.Timedelta(days=9 * turn + turn % 4 + 3) for turn in range(deposits)]
    frames = []
    for number, day in enumerate(days):
        cents = 40_001 + 997 * number
        text = str(day.date())
        got = table(
            [(text, "Studio", cents)], direction="INCOMING", source_party="entity",
            source_id="studio", destination_party="port", destination_id="port",
            destination_name="Work",
        )  # fmt: skip
        quarter, half = cents // 4, cents // 2
        parts = [("taxes", quarter), ("bills", half), ("savings", cents - quarter - half)]
        passed = table(
            [(text, one, part) for one, part in parts], source_party="port", source_id="port",
            source_name="Work", destination_party="pod",
            direction=["INTERNAL", "INTERNAL", "OUTGOING"],
        )  # fmt: skip
        frames += [got, passed]
    if pending is not None:
        waits = frames[0].assign(amount_cents=pd.array([pending], dtype="Int64"), state="open")
        waits["created_at"] += pd.Timedelta(days=2)
        frames.append(waits.assign(effective_at=waits["effective_at"].where(waits["state"] == "")))
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(id=[str(place) for place in range(len(rows))]).astype({"id": "str"})


@fewer
@given(st.integers(1, 10**7))
def test_a_deposit_on_its_way_goes_through_the_known_split(cents: int) -> None:
    """What a port gets it passes on to the last cent, in the shares of its last deposits."""
    found = expect(payday(cents))
    sums = found.groupby("account_id")["expected_cents"].sum()
    assert sums["port"] == 0
    assert abs(sums["taxes"] - cents / 4) <= 1 + cents / 10_000
    assert abs(sums["bills"] - cents / 2) <= 1 + cents / 10_000
    assert set(found["basis"]) == {"pending"}


def test_the_split_of_a_deposit_is_folded_under_it() -> None:
    """By default a deposit is one row, which says into how many accounts it is passed on."""
    [folded] = expect(payday(90_000), include_internal=False).to_dict("records")
    assert (folded["payee"], folded["expected_cents"], folded["split_into"]) == (
        "Studio",
        90_000,
        3,
    )
    assert expect(payday(90_000))["split_into"].sum() == 3


def test_moves_between_pods_are_told_on_request() -> None:
    """By default only what comes in and goes out is told."""
    rows = table(monthly("Kids", 2, [5000] * 10), direction="INTERNAL", destination_party="pod")
    assert expect(rows, include_internal=False).empty
    assert len(expect(rows)) == 2


@pytest.mark.parametrize("name", [None, "", " "])
def test_who_has_no_name_has_a_word(name: str | None) -> None:
    """A payee without a name is called so, and is no empty cell."""
    rows = table(monthly("X", 5, [1549] * 10)).assign(payee=pd.Series([name] * 10, dtype="str"))
    assert list(expect(rows)["payee"]) == ["unnamed"]


def test_a_move_between_pods_is_two_rows() -> None:
    """What one pod gives the other one gets, on the same day."""
    rows = table(
        monthly("Kids", 2, [5000] * 10), direction="INTERNAL", destination_party="pod"
    ).assign(destination_id="pod-2")
    found = expect(rows).set_index("account_id")
    assert found["expected_cents"].to_dict() == {"pod": -5000, "pod-2": 5000}
    assert found["account"].to_dict() == {"pod": "Bills", "pod-2": "Kids"}
    assert found["payee"].to_dict() == {"pod": "Kids", "pod-2": "Bills"}


def test_a_projection_starts_at_the_known_balance() -> None:
    """Today has the known balance and no band; each day of the horizon has a row."""
    found = project(table(monthly("Streamly", 5, [1549] * 10)), holds(20_000))
    assert list(found["date"]) == list(pd.date_range(TODAY, periods=31))
    assert list(found[["balance_cents", "low_cents", "high_cents"]].iloc[0]) == [20_000] * 3
    assert list(found["balance_cents"]) == [20_000] * 4 + [20_000 - 1549] * 27


def weekly(cents: list[int]) -> list[Payment]:
    """Make one payment a week to another shop each, the last one on the day before."""
    days = [TODAY - pd.Timedelta(days=1 + 7 * place) for place in range(len(cents))]
    return [
        (str(day.date()), f"Shop {place}", amount)
        for place, (day, amount) in enumerate(zip(days, cents, strict=True))
    ]


def test_everyday_spending_goes_on() -> None:
    """What does not recur leaves the pod as in the weeks before, with a band."""
    found = project(table(weekly([6000, 8000] * 10)), holds(100_000), days=10)
    assert list(found["balance_cents"]) == [round(100_000 - 6923.07 / 7 * n) for n in range(11)]
    assert (found["low_cents"][1:] < found["balance_cents"][1:]).all()
    assert (found["high_cents"][1:] > found["balance_cents"][1:]).all()


@fewer
@given(st.integers(1, 120), st.integers(1, 10**9), st.booleans())
def test_one_payment_says_nothing_of_the_days_to_come(ago: int, cents: int, comes: bool) -> None:
    """However large one payment of the past was, in or out, the forecast is the same."""
    odd = (str((TODAY - pd.Timedelta(days=ago)).date()), "Once", cents)
    rows = table([*weekly([7000] * 20), odd])
    if comes:
        last = rows.index[-1]
        rows = rows.astype({"direction": "str"})
        rows.loc[last, ["direction", "source_id", "destination_id"]] = ["INCOMING", "shop", "pod"]
    series = find_series(rows, NOW)
    moves = moves_ahead(rows, series, 20_758, 10)
    found = path(moves, rows, pd.Series(["pod"], dtype="str"), 20_758, 10, series.label)
    assert np.allclose(found.expected, [[-1000 * day for day in range(11)]])


def test_what_came_back_is_not_spent() -> None:
    """A payment that failed later, or was reversed, lowers no balance of the days to come."""
    rows = table([*weekly([7000] * 20), *[(day, "Tickets", 90_000) for day in BOUNCED]])
    back = rows["payee"] == "Tickets"
    assert project(rows, holds(100_000)).iloc[-1]["balance_cents"] < 70_000
    failed = rows.astype({"state": "str"})
    failed.loc[back, "state"] = "failed"
    failed["updated_at"] += pd.Timedelta(days=2)
    reversed_later = rows.assign(returned_at=rows["created_at"].where(back) + pd.Timedelta(days=2))
    for one in (failed, reversed_later):
        assert project(one, holds(100_000)).iloc[-1]["balance_cents"] == 70_000


BOUNCED = ("2026-10-20", "2026-10-12", "2026-09-14", "2026-09-03", "2026-08-25", "2026-08-17")


def test_nothing_is_forecast_of_a_short_history() -> None:
    """Within four weeks of the first transfer only today's balance is told, and why."""
    two_days = [("2026-10-30", "Shop", 500_000), ("2026-10-31", "Store", 215_000)]
    found = project(table(two_days), holds(100_000))
    assert list(found["balance_cents"].dropna()) == [100_000]
    assert found.loc[1:, ["low_cents", "high_cents"]].isna().all(axis=None)
    assert set(found["method"]) == {"not enough history"}
    assert running_short(found).empty
    four_weeks = table([*two_days, ("2026-10-03", "Store", 100)])
    assert project(four_weeks, holds(10**9))["balance_cents"].notna().all()


def test_too_little_is_said_of_each_account() -> None:
    """A pod of last week has no projection, beside one of which enough is known."""
    rows = table(
        [*monthly("Streamly", 5, [1549] * 10), ("2026-10-25", "Store", 100)],
        source_id=["pod"] * 10 + ["new"],
    )
    both = pd.concat([holds(100_000), holds(5000, "new"), holds(700, "idle")])
    found = project(rows, both.reset_index(drop=True)).groupby("account_id")
    assert found["method"].first().to_dict() == {
        "pod": "expected",
        "new": "not enough history",
        "idle": "expected",
    }
    assert found["balance_cents"].count().to_dict() == {"pod": 31, "new": 1, "idle": 31}


def test_a_port_is_not_overdrawn() -> None:
    """A port passes on what it gets, so it never runs short."""
    rows = table(monthly("Kids", 2, [5000] * 10), source_party="port")
    found = project(rows, holds(0, kind="port"))
    assert (found["balance_cents"] == 0).all()
    assert not found["may_run_short"].any()


def test_a_pod_that_runs_short_is_named() -> None:
    """The first day below zero and the most that is missing are told."""
    rows = table(monthly("Rent", 5, [90_000] * 10) + monthly("Club", 20, [2500] * 10))
    found = project(rows, holds(60_000))
    assert running_short(found).to_dict("records") == [
        {
            "account_id": "pod",
            "name": "Pod",
            "date": pd.Timestamp("2026-11-05"),
            "short_cents": 32_500,
            "short": 325.0,
        }
    ]
    assert running_short(project(rows, holds(100_000))).empty


def test_nothing_gives_empty_frames_of_the_same_kind() -> None:
    """No transfers give no rows, and the columns and dtypes of any other answer."""
    rows = table(monthly("Rent", 5, [90_000] * 10))
    some, none = expect(rows), expect(table([]))
    assert none.empty
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()
    some, none = project(rows, holds(60_000)), project(table([]), holds(0).iloc[:0])
    assert none.empty
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()
    some, none = running_short(some), running_short(none)
    assert none.empty
    assert none.dtypes.astype(str).to_dict() == some.dtypes.astype(str).to_dict()


#: A year's shape of a heating bill.
WINTER = [16_500, 15_000, 11_800, 8000, 4800, 3200, 3000, 3000, 3600, 6200, 10_400, 14_800]


def bill(cents: list[int]) -> pd.DataFrame:
    """Return what is expected of a bill of these months, the last one last month."""
    first = str(pd.Period("2026-10", "M") - len(cents) + 1)
    return expect(table(monthly("Bill", 5, cents, first), destination_party="entity"), days=100)


def test_a_bill_that_grows_goes_on_growing() -> None:
    """Of a bill that rises by 3 % a month, the next ones are higher by 3 % each."""
    found = bill([round(10_000 * 1.03**month) for month in range(20)])
    rising = [-10_000 * 1.03**month for month in range(20, 24)]
    assert (found["expected_cents"] - pd.Series(rising)).abs().max() <= 2  # cents of rounding


def test_heating_follows_its_winter() -> None:
    """After two winters, the third one is expected as they were, and dearer as the autumn was."""
    dearer = [*WINTER, *(round(1.1 * cents) for cents in WINTER)]
    whole = [*dearer[10:], *(round(1.2 * cents) for cents in WINTER[:10])]
    found = bill(whole[-22:])
    assert list(found["date"].dt.month) == [11, 12, 1, 2]
    ratio = -found["expected_cents"] / [WINTER[month - 1] for month in (11, 12, 1, 2)]
    assert ratio.between(1.1, 1.45).all()


@fewer
@given(st.integers(0, 10_000))
def test_a_bill_without_a_trend_or_season_is_as_usual(seed: int) -> None:
    """Amounts that vary by chance are expected where they were: within their own range."""
    cents = np.random.default_rng(seed).integers(9000, 11_000, 22)
    found = bill([int(one) for one in cents])
    assert found["expected_cents"].between(-11_600, -8400).all()
