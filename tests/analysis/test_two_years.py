"""Two years of a sandbox's household: what recurs in them, and what the next month brings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest
from payments import payees_of

from seqdata import Ledger
from seqdata.analysis.recur.projection import projected_balances, running_short
from seqdata.analysis.recur.recurring import UNNAMED, recurring
from seqdata.analysis.recur.series import local_days
from seqdata.analysis.recur.upcoming import upcoming

SEEDS = (7, 11) if os.environ.get("SEQDATA_SOAK") else (7,)


@dataclass
class Backtest:
    """What was found in two years and expected of thirty days, and what these brought."""

    household: pd.DataFrame
    expected: pd.DataFrame
    projected: pd.DataFrame
    came: pd.DataFrame
    truth: dict[str, dict[str, int]]


@pytest.fixture(scope="module", params=SEEDS)
def backtest(request: pytest.FixtureRequest) -> Iterator[Backtest]:
    """Expect thirty days of a sandbox's household, then live them."""
    with Ledger.demo(seed=request.param, months=24, now="2026-11-01") as ledger:
        assert ledger.sandbox is not None
        ledger.sync(details="all", details_per_request=25, progress=False)
        now, rows, accounts = ledger.sandbox.now, payees_of(ledger), ledger.accounts
        expected = upcoming(rows, now=now, legs=ledger.legs, include_internal=True)
        held = accounts[accounts["closed_at"].isna()]
        projected = projected_balances(held, rows, now=now, legs=ledger.legs)
        household = recurring(rows, now=now)
        ledger.sandbox.advance(days=30)
        ledger.sync(details="all", details_per_request=25, progress=False)
        later = payees_of(ledger)
        came = later[~later["id"].isin(rows["id"])]
        came = came[~came["state"].isin(["failed", "cancelled"])]
        yield Backtest(household, expected, projected, came, ledger.sandbox.balances())


@pytest.fixture
def household(backtest: Backtest) -> pd.DataFrame:
    """What recurs in the two years."""
    return backtest.household


#: What the sandbox's household pays and is paid, by its own plan.
PLANNED = {
    "Maple Street Apartments": ("bill", "monthly", 2150_00),
    "FiberLine Internet": ("bill", "monthly", 70_00),
    "Metro Electric": ("bill", "monthly", None),
    "Northern Gas": ("bill", "monthly", None),
    "Mobile One": ("bill", "monthly", 85_00),
    "Harbor Insurance": ("bill", "monthly", 118_00),
    "U.S. Treasury": ("bill", "quarterly", None),
    "Streamly": ("subscription", "monthly", 17_99),
    "CloudBox 2TB": ("subscription", "monthly", 9_99),
    "GymBox": ("subscription", "monthly", 39_00),
    "Daily Gazette": ("subscription", "monthly", 12_00),
    "Tune★Wave": ("subscription", "monthly", 10_99),
    "Northwind Payroll": ("paycheck", "biweekly", None),
    "Bright & Söhne, Inc.": ("paycheck", "biweekly", None),
    "Harvest Supermarket": ("bill", "weekly", None),
    "Žofie Nováková": ("income", "monthly", 100_00),
}


def test_the_sandbox_s_plan_is_found_and_nothing_else(household: pd.DataFrame) -> None:
    """Every bill, subscription and paycheck of the household is found, and no other payee."""
    outside = household[(household["kind"] != "transfer") & (household["payee"] != UNNAMED)]
    found = outside.set_index("payee")
    assert set(found.index) == set(PLANNED)
    for payee, (kind, cadence, cents) in PLANNED.items():
        row = found.loc[payee]
        assert (row["kind"], row["cadence"]) == (kind, cadence), payee
        assert cents is None or row["usual_cents"] == cents, payee
    assert list(found.index[~found["is_active"]]) == ["GymBox"]
    assert found.loc["Streamly", "previous_cents"] == 15_49
    assert found.loc["Streamly", "changed_on"] == pd.Timestamp("2025-04-05")
    assert found["previous_cents"].notna().sum() == 1


def test_paychecks_are_within_their_range(household: pd.DataFrame) -> None:
    """The usual paycheck lies in the range the household's plan draws from."""
    pay = household[household["kind"] == "paycheck"].set_index("payee")["usual"]
    assert 2450 <= pay["Northwind Payroll"] <= 2485
    assert 1980 <= pay["Bright & Söhne, Inc."] <= 2015


def test_standing_transfers_keep_their_own_amounts(household: pd.DataFrame) -> None:
    """Two pulls from one account to one pod are two transfers, and no sum of both."""
    pulls = household[
        (household["payee"] == "Everyday Checking") & (household["direction"] == "INCOMING")
    ]
    assert sorted(pulls["usual_cents"]) == [150_00, 220_00]


def test_what_was_expected_came(backtest: Backtest) -> None:
    """Of what recurs, at least 95 % came within three days, and 85 % within its band."""
    comes_in = backtest.came["direction"] == "INCOMING"
    came = backtest.came.assign(
        account_id=backtest.came["destination_id"].where(comes_in, backtest.came["source_id"]),
        payee=backtest.came["payee"].fillna(UNNAMED),
        day=local_days(backtest.came),
    )
    is_side = (backtest.expected["direction"] == "INTERNAL") & (
        backtest.expected["expected_cents"] > 0
    )
    expected = backtest.expected[(backtest.expected["basis"] == "recurring") & ~is_side]
    expected = expected.assign(
        payee=expected["payee"].fillna(UNNAMED),
        due=expected["date"].to_numpy("datetime64[D]").astype(int),
        place=range(len(expected)),
    )
    pairs = expected.drop(columns="id").merge(came, on=["account_id", "payee", "direction"])
    near = pairs[(pairs["due"] - pairs["day"]).abs() <= 3]
    bounds = near[["low_cents", "high_cents"]].abs()
    inside = near["amount_cents"].between(bounds.min(axis=1), bounds.max(axis=1))
    assert len(expected) > 60
    assert near["place"].nunique() >= 0.95 * len(expected)
    assert near.loc[inside, "place"].nunique() >= 0.85 * len(expected)


def test_the_band_holds_most_true_balances(backtest: Backtest) -> None:
    """At least 80 % of the true balances of pods and ports lie in the projected band."""
    ahead = backtest.projected[backtest.projected["date"] > backtest.projected["date"].min()]
    true = [backtest.truth[row.account_id][str(row.date.date())] for row in ahead.itertuples()]
    inside = ahead["low_cents"].le(true) & ahead["high_cents"].ge(true)
    assert inside.mean() >= 0.8


def test_no_pod_of_a_thrifty_household_is_named(backtest: Backtest) -> None:
    """Pods that stayed above zero for thirty days were not said to run short."""
    assert running_short(backtest.projected).empty
