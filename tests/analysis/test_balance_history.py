"""Balances over time."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import accounts, balances, fewer, legs, transfers

from seqdata import analysis
from seqdata.analysis import balance_history
from seqdata.exceptions import InvalidFilter, MissingColumns


def history(world, **options) -> pd.DataFrame:
    return balance_history(world.transfers, world.legs, world.accounts, world.balances, **options)


def test_pods_have_the_balance_that_the_service_had_each_day(world) -> None:
    """With all details, each day of each pod and port equals the world's own books to the cent."""
    rows = history(world)
    compared = 0
    for account_id in world.inside["id"]:
        own = rows[rows["account_id"] == account_id]
        ours = dict(zip(own["date"].dt.strftime("%Y-%m-%d"), own["balance_cents"], strict=True))
        shared = ours.keys() & world.truth[account_id].keys()
        assert {day: ours[day] for day in shared} == {
            day: world.truth[account_id][day] for day in shared
        }
        compared += len(shared)
    assert compared > 100 * len(world.inside)


def test_a_history_ends_at_the_balance_that_was_observed_last(world) -> None:
    """The last day of each account is its newest observation, marked as observed."""
    last = history(world, boundary="own").drop_duplicates("account_id", keep="last")
    last = last.set_index("account_id")
    newest = world.balances.drop_duplicates("account_id", keep="last").set_index("account_id")
    assert last["balance_cents"].to_dict() == newest["balance_cents"].to_dict()
    assert set(last["provenance"]) == {"observed"}


@pytest.mark.parametrize("freq", ["week", "month", "quarter", "year"])
def test_a_longer_period_shows_its_last_day(world, freq: str) -> None:
    """Weeks, months, quarters and years show the last day of each that is known."""
    days = history(world)
    chosen = history(world, freq=freq)
    expected = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[freq]
    period = days["date"].dt.to_period(expected)
    last = days.groupby(["account_id", period], sort=False).tail(1).reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen, last)


def test_outside_accounts_are_never_walked(world) -> None:
    """The balance of an outside account is one that was seen, not derived from transfers."""
    rows = history(world, boundary="own")
    outside = rows[rows["kind"] == "account"]
    assert set(outside["provenance"]) == {"observed", "carried"}
    seen = world.balances.groupby("account_id")["balance_cents"].agg(set)
    assert all(row.balance_cents in seen[row.account_id] for row in outside.itertuples())


def test_a_sum_of_balances_is_what_sequence_holds(world) -> None:
    """Added up as they are, the balances of each day are those of pods and ports, and no debt."""
    rows = history(world)
    assert set(rows["kind"]) == {"pod", "port"}
    assert not rows["is_owed"].any()
    days = rows.groupby("date")["balance_cents"].sum()
    truth = pd.Series(0, days.index)
    for own_id in world.inside["id"]:
        seen = pd.Series(world.truth[own_id])
        seen.index = pd.to_datetime(seen.index)
        truth = truth.add(seen.reindex(days.index).fillna(0), fill_value=0)
    shared = [day for day in days.index if f"{day:%Y-%m-%d}" in world.truth[rows["account_id"][0]]]
    assert len(shared) > 100
    assert days[shared].astype("int64").to_dict() == truth[shared].astype("int64").to_dict()
    own = history(world, boundary="own")
    pd.testing.assert_frame_equal(
        own[own["kind"] != "account"].astype({"kind": "str", "name": "str"}).reset_index(drop=True),
        rows.astype({"kind": "str", "name": "str"}),
    )
    with pytest.raises(InvalidFilter, match="boundary='all' .* sequence, own"):
        history(world, boundary="all")


def test_a_history_reaches_back_to_the_first_transfer() -> None:
    """From one observation the balance is walked back over the movements before it."""
    rows = balance_history(
        transfers(
            "2026-03-01T12:00Z 2026-03-01T12:00Z 1000 firm1 pod1",
            "2026-03-03T12:00Z 2026-03-03T12:00Z 300 pod1 shop1",
        ),
        legs("t0 payment 2026-03-02T15:00Z", "t1 payment 2026-03-05T15:00Z"),
        accounts("pod1"),
        balances("pod1 2026-03-04T15:00Z 5000"),
    )
    assert rows[["balance_cents", "provenance"]].to_numpy().tolist() == [
        [4300, "derived"],
        [5300, "derived"],
        [5000, "derived"],
        [5000, "observed"],
    ]
    assert rows["date"].dt.day.tolist() == [1, 2, 3, 4]


def test_a_failed_payment_leaves_and_comes_back() -> None:
    """A payment that fails is gone from its creation to the moment it failed."""
    rows = balance_history(
        transfers(
            "2026-03-01T12:00Z 2026-03-03T12:00Z 300 pod1 firm1 failed",
            "2026-03-01T12:00Z 2026-03-01T12:00Z 900 pod1 firm1 failed",
        ),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-04T15:00Z 5000"),
    )
    assert rows["balance_cents"].tolist() == [4700, 4700, 5000, 5000]


def test_money_leaves_the_day_it_is_paid_and_joins_the_day_it_settles() -> None:
    """Rent is gone on the day it is paid, a paycheck is there once it settled."""
    rows = balance_history(
        transfers(
            "2026-02-28T12:00Z 2026-02-28T12:00Z 1 pod1 pod2",
            "2026-03-01T12:00Z 2026-03-03T12:00Z 300 pod1 firm1",
            "2026-03-01T12:00Z 2026-03-04T12:00Z 900 firm1 pod1",
            "2026-03-02T12:00Z 2026-03-02T12:00Z 50 pod1 pod2",
        ),
        legs("t1 payment 2026-03-03T12:00Z", "t2 payment 2026-03-04T12:00Z"),
        accounts("pod1"),
        balances("pod1 2026-03-05T15:00Z 5000"),
    )
    assert rows["balance_cents"].tolist() == [4450, 4150, 4100, 4100, 5000, 5000]
    assert rows.attrs["seqdata"]["by_day"] == "moved"


def test_what_waits_for_approval_has_not_left() -> None:
    """A payment that a person has yet to agree to is still in its pod; another open one is not."""
    rows = balance_history(
        transfers(
            "2026-03-02T12:00Z 2026-03-02T12:00Z 300 pod1 firm1 open",
            "2026-03-02T12:00Z 2026-03-02T12:00Z 20 pod1 firm1 open",
            status=["PENDING_APPROVAL", "PENDING"],
        ),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-01T15:00Z 5000"),
        until=pd.Timestamp("2026-03-03T12:00Z"),
    )
    assert rows["balance_cents"].tolist()[-1] == 4980


def test_an_estimated_moment_is_marked_where_it_matters() -> None:
    """Without details a day's balance is marked where the money may not have arrived yet."""
    rows = balance_history(
        transfers("2026-03-02T12:00Z 2026-03-04T12:00Z 1000 firm1 pod1"),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-05T15:00Z 5000"),
    )
    assert rows["settled_at_known"].tolist() == [False, False, True, True]
    assert rows["balance_cents"].tolist() == [4000, 4000, 5000, 5000]


def test_a_jump_is_not_smeared_over_the_days_between() -> None:
    """Where observations disagree with the movements, the days between follow the earlier one."""
    rows = balance_history(
        transfers("2026-03-01T12:00Z 2026-03-01T12:00Z 100 pod1 shop1"),
        legs(),
        accounts("pod1"),
        balances("pod1 2026-03-02T15:00Z 5000", "pod1 2026-03-05T15:00Z 4200"),
    )
    assert rows["balance_cents"].tolist() == [5000, 5000, 5000, 5000, 4200]


def test_nothing_is_derived_before_what_is_complete() -> None:
    """Before the beginning of a partial sync a balance is carried from a statement, or missing."""
    rows = balance_history(
        transfers("2026-03-04T12:00Z 2026-03-04T12:00Z 100 pod1 shop1"),
        legs(),
        accounts("pod1", "pod2"),
        balances(
            "pod1 2026-03-01T15:00Z 7000", "pod1 2026-03-05T15:00Z 5000", "pod2 2026-03-05T15:00Z 1"
        ),
        complete_since=pd.Timestamp("2026-03-04T05:00Z"),
    )
    first = rows[rows["account_id"] == "pod1"]
    assert first["provenance"].tolist() == ["observed", "carried", "carried", "derived", "observed"]
    assert first["balance_cents"].tolist() == [7000, 7000, 7000, 6900, 5000]
    assert rows.loc[rows["account_id"] == "pod2", "date"].dt.day.tolist() == [4, 5]


def test_an_account_whose_balance_was_never_seen_has_no_rows() -> None:
    """Without any observation there is nothing to walk from, so no figure is made up."""
    rows = balance_history(
        transfers("2026-03-04T12:00Z 2026-03-04T12:00Z 100 pod1 pod2"),
        legs(),
        accounts("pod1", "pod2"),
        balances("pod2 2026-03-05T15:00Z 1"),
    )
    assert set(rows["account_id"]) == {"pod2"}


def test_an_empty_ledger_has_an_empty_history_of_the_same_columns(world) -> None:
    """Without observations the history is empty and has all columns with their dtypes."""
    empty = balance_history(world.transfers, world.legs, world.accounts, world.balances[:0])
    pd.testing.assert_series_equal(
        empty.dtypes.astype(str), history(world).dtypes.astype(str), check_names=False
    )
    assert len(empty) == 0


@fewer
@given(st.data())
def test_history_does_not_depend_on_the_order_of_rows(data: st.DataObject) -> None:
    """Any order of transfers and observations makes the same history."""
    days = data.draw(st.lists(st.integers(1, 28), min_size=1, max_size=8))
    lines = [
        f"2026-03-{day:02d}T1{place}:00Z 2026-03-28T1{place}:00Z {place + 1}00 pod1 pod2"
        for place, day in enumerate(days)
    ]
    seen = balances(
        "pod1 2026-03-09T15:00Z 100", "pod2 2026-03-20T15:00Z 90", "pod1 2026-04-01T00:00Z 7"
    )
    rows = transfers(*lines)
    expected = balance_history(rows, legs(), accounts("pod1", "pod2"), seen)
    order = data.draw(st.permutations(range(len(rows))))
    backwards = seen.iloc[::-1].reset_index(drop=True)
    found = balance_history(
        rows.iloc[order].reset_index(drop=True), legs(), accounts("pod1", "pod2"), backwards
    )
    pd.testing.assert_frame_equal(found, expected)


def test_a_wrong_table_or_word_is_answered_with_the_choices(world) -> None:
    """A frequency that does not exist, and a frame that is another one, get a sentence."""
    with pytest.raises(InvalidFilter, match="day, week, month, quarter, year"):
        history(world, freq="hour")
    with pytest.raises(MissingColumns, match="accounts lacks kind"):
        balance_history(world.transfers, world.legs, world.legs.assign(name=""), world.balances)


def test_every_public_function_of_the_analysis_is_documented() -> None:
    """Each name that the analysis exports exists and has a docstring."""
    assert all(getattr(analysis, name).__doc__ for name in analysis.__all__)
