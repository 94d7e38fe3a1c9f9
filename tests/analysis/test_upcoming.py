"""What is expected, what it leaves in the pods, and how that compares with what came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from payments import monthly, table
from tables import fewer

from seqdata.analysis.recur.projection import projected_balances, running_short
from seqdata.analysis.recur.recurring import recurring
from seqdata.analysis.recur.upcoming import upcoming

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = pd.Timestamp("2026-11-01")


def expect(rows: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return what is expected after some transfers."""
    series = recurring(rows, now=NOW, include_internal=True)
    return upcoming(rows, series, now=NOW, **options)


def holds(cents: int, name: str = "pod", kind: str = "pod") -> pd.DataFrame:
    """Return the balance of one account, as the accounts table has it."""
    balance = pd.array([cents], dtype="Int64")
    columns = {"id": [name], "name": [name.title()], "kind": [kind], "balance_cents": balance}
    return pd.DataFrame(columns)


def project(rows: pd.DataFrame, held: pd.DataFrame, days: int = 30) -> pd.DataFrame:
    """Return the projected balances after some transfers."""
    return projected_balances(held, expect(rows, days=days), rows, now=NOW, days=days)


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
    assert list(expect(rows, days=20)["date"]) == [pd.Timestamp("2026-11-04")]


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


def test_everyday_spending_goes_on_at_its_mean() -> None:
    """What does not recur leaves the pod at its mean of the last 90 days, net of refunds."""
    payments = [
        (str((TODAY - pd.Timedelta(days=ago)).date()), f"Shop {ago}", 9000) for ago in (3, 40, 90)
    ]
    rows = table(
        [*payments, ("2026-10-01", "Shop 40", 4500), ("2026-07-01", "Shop 1", 999_999)],
        direction=["OUTGOING"] * 3 + ["INCOMING", "OUTGOING"],
        source_party=["pod"] * 3 + ["merchant", "pod"],
        source_id=["pod"] * 3 + ["shop", "pod"],
    )
    rows.loc[3, "destination_id"] = "pod"
    found = project(rows, holds(100_000), days=10)
    mean = (3 * 9000 - 4500) / 90
    assert list(found["balance_cents"]) == [round(100_000 - mean * day) for day in range(11)]
    assert (found["low_cents"][1:] < found["balance_cents"][1:]).all()
    assert found["high_cents"].diff().sub(found["balance_cents"].diff()).iloc[1:].gt(0).all()


def test_the_low_side_is_no_worse_than_the_worst_days_known() -> None:
    """The low side takes no more irregular money than the worst as many days have taken."""
    rows = table(
        [("2026-10-10", "Shop", 9000), ("2026-10-12", "Store", 9000), ("2026-07-01", "S", 1)]
    )
    found = project(rows, holds(100_000), days=30)
    assert found["low_cents"].min() >= 100_000 - 18_000
    assert (found["low_cents"][1:3] >= 100_000 - 9000).all()


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


@fewer
@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(1, 90_000), st.booleans()), max_size=25),
    st.integers(-50_000, 200_000),
    st.integers(0, 100),
)
def test_a_band_holds_its_middle(
    bought: list[tuple[int, int, bool]], cents: int, days: int
) -> None:
    """Low is never above the expected balance, nor high below, and no band is on today."""
    payments = [
        (str((TODAY - pd.Timedelta(days=ago)).date()), "S", much) for ago, much, _ in bought
    ]
    payments += monthly("Rent", 5, [90_000] * 10)
    comes_in = [is_in for _, _, is_in in bought] + [False] * 10
    rows = table(payments, direction=["INCOMING" if one else "OUTGOING" for one in comes_in])
    rows.loc[comes_in, "destination_id"] = "pod"
    found = project(rows, holds(cents), days=days)
    assert len(found) == days + 1
    assert (found["low_cents"] <= found["balance_cents"]).all()
    assert (found["balance_cents"] <= found["high_cents"]).all()
    assert found["low_cents"][0] == found["high_cents"][0] == cents
    assert (found["is_short"] <= found["may_run_short"]).all()
